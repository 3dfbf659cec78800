"""Where in Airflow people answer, and see the images."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from custom_labels.core.names import PAGES
from custom_labels.review.backends.airflow_page.project_file import KIND


def image_page(project: str, review: str, base_url: str = "") -> str:
    """Give the address at which Airflow's API server leads on to a review's image.

    :param base_url: Airflow's own; only its path is used, as whoever sees the question is on the right host already.
    """
    base = urlsplit(base_url).path.rstrip("/")
    return f"{base}{PAGES}/{quote(project, safe='')}/reviews/{quote(review, safe='')}/image"


def answer_page(project: str, base_url: str) -> str:
    """Give the address at which a project's questions are."""
    return f"{base_url.rstrip('/')}/dags/{quote(project, safe='')}_{KIND}/required_actions?response_received=false"
