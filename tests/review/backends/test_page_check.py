"""The worker page of each task is rendered for every kind of question before reviews are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from custom_labels.aws.hooks.sagemaker import ReviewSetupHook
from custom_labels.core.project_task import ProjectTask
from custom_labels.core.settings import load_project
from custom_labels.review.backends.a2i.backend import loop_input
from custom_labels.review.backends.a2i.setup import plan_review
from custom_labels.review.backends.page_check import PageBroken, WorkerPage, check_page
from custom_labels.s3.store import S3Store
from tests.kit.review_project import make_store, make_store_bucket

if TYPE_CHECKING:
    from include.local_aws.process import LocalAws

ROLE = "arn:aws:iam::123456789012:role/custom-labels-digits-review"


@pytest.fixture
def store(aws: LocalAws, airflow_db: None) -> S3Store:
    make_store_bucket(aws)
    return make_store(load_project("digits"))


def page(store: S3Store, task: ProjectTask, old: str = "", new: str = "") -> WorkerPage:
    """Give this package's page of a task, with one thing changed."""
    template = plan_review(load_project("digits").model_copy(update={"task": task}), store, [1]).template
    assert old in template
    changed, where = template.replace(old, new), "'review.a2i.template' is 'mine.html'"
    return WorkerPage("A2I", "a2i", loop_input, changed, task, ("fernwood", "kestrel"), where)


@pytest.mark.parametrize("task", ProjectTask)
def test_own_page_of_each_task_is_fine(store: S3Store, task: ProjectTask) -> None:
    checked = check_page(store, ReviewSetupHook(region_name="us-east-1"), page(store, task), ROLE)

    assert checked.startswith("rendered with s3://custom-labels-digits/registry/bootstrap.png")


@pytest.mark.parametrize(
    ("task", "initial"),
    [
        (ProjectTask.OBJECT_DETECTION, "task.input.initialValue[0].label"),
        (ProjectTask.MULTI_LABEL_CLASSIFICATION, "task.input.initialValue[0]"),
    ],
)
def test_page_is_rendered_with_what_a_model_found(store: S3Store, task: ProjectTask, initial: str) -> None:
    """A page that fails by what it makes of the model's boxes or labels is found too."""
    failing = f"{{% if {initial} == 'fernwood' %}}{{{{ 'no uri' | grant_read_access }}}}{{% endif %}}</crowd-form>"
    broken = page(store, task, "</crowd-form>", failing)

    with pytest.raises(PageBroken) as refused:
        check_page(store, ReviewSetupHook(region_name="us-east-1"), broken, ROLE)
    assert "cannot render the worker page for a doubt review" in str(refused.value)
    assert "'review.a2i.template' is 'mine.html'" in str(refused.value)


@pytest.mark.parametrize("task", [ProjectTask.OBJECT_DETECTION, ProjectTask.MULTI_LABEL_CLASSIFICATION])
def test_page_that_does_not_show_the_image_is_refused(store: S3Store, task: ProjectTask) -> None:
    broken = page(store, task, 'src="{{ task.input.taskObject | grant_read_access }}"', "")

    with pytest.raises(PageBroken, match="has no 'src' that shows the image"):
        check_page(store, ReviewSetupHook(region_name="us-east-1"), broken, ROLE)
