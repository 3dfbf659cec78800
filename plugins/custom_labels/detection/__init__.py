"""From events and the inbox to results."""
