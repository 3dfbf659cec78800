"""What is wrong with project files, as an import error of this file.

It makes no DAG. A file that raises has no DAGs in Airflow; so the files that make DAGs pass over a wrong project, which
leaves the other projects theirs, and this one says what is wrong with it.
"""

from __future__ import annotations

from custom_labels.core.settings import check_project_files

check_project_files()
