"""What is known to go wrong in loops of this kind, each with the test that it does not go wrong here.

The table is for readers, and so that no such test is lost when files are moved.
"""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT

DEFECTS = {
    "a second build in the same process doubled the manifest": (
        "datasets/test_manifest_records.py::test_building_twice_gives_the_same_bytes_and_uploads_once"
    ),
    "folder markers counted as images": ("faults/test_known_defects.py::test_folder_markers_do_not_count_as_images"),
    "the count and the manifest took different objects for images": (
        "faults/test_known_defects.py::test_a_nested_image_has_the_label_of_its_first_folder"
    ),
    "a text file went into the manifest": ("faults/test_known_defects.py::test_a_file_that_is_no_image_does_not_count"),
    "replaced images were not seen": "faults/test_known_defects.py::test_a_replaced_image_is_seen",
    "deleted images hid new ones": "faults/test_known_defects.py::test_deleted_images_do_not_hide_new_ones",
    "a refused version was trained again at every poll": (
        "dags/test_train.py::test_a_refused_version_never_serves_and_is_not_trained_again"
    ),
    "a switch spelled 'True' ended the run": (
        "faults/test_known_defects.py::test_a_switch_is_on_however_it_is_spelled"
    ),
    "an image without any label ended the detection": "detection/test_detection.py::test_the_surest_label_decides",
    "an image that came before the first deployment was lost": (
        "dags/test_detect.py::test_nothing_is_taken_from_the_queue_when"
    ),
    "a key with spaces or accents was asked for as it stood in the event": (
        "detection/test_events.py::test_the_key_is_decoded_when_it_is_of"
    ),
    "only one kind of S3's events was heard": (
        "detection/test_events.py::test_every_kind_of_creation_announces_an_image"
    ),
    "a review without answers ended the harvest": (
        "faults/test_harvest_known_defects.py::test_an_output_without_answers_stops_nothing"
    ),
    "the first of several answers won": (
        "faults/test_harvest_known_defects.py::test_the_first_answer_does_not_win_against_two_others"
    ),
    "an image that shows none of the labels was dropped": (
        "faults/test_harvest_known_defects.py::test_an_image_that_shows_none_of_the_labels_is_kept"
    ),
    "a sampled image never entered training, even when it was corrected": (
        "faults/test_harvest_known_defects.py::test_a_corrected_sample_can_enter_training"
    ),
    "changing a frequency switched a schedule on that was off": (
        "dags/test_audit.py::test_sampling_that_is_off_stays_off_however_its_frequency_is_changed"
    ),
    "an event that came twice made two reviews and two copies": (
        "faults/test_harvest_known_defects.py::test_a_message_that_comes_twice_makes_no_second_copy"
    ),
    "a swap stopped versions that were none of its business": (
        "dags/test_train.py::test_only_the_replaced_version_is_stopped"
    ),
    "a swap wrote back what it had read hours before": (
        "training/test_attempt_records.py::test_move_live_changes_nothing_when_another_version_serves_than"
    ),
    "moments were compared as texts that do not sort": (
        "detection/test_log_records.py::test_keys_of_the_log_sort_as_their_moments"
    ),
    "S3's test event came back for days": (
        "detection/test_events.py::test_a_message_that_announces_no_image_is_passed_over_and_counted"
    ),
    "an image in a deeper folder was lost": "dags/test_detect.py::test_images_are_detected_however_they_are_announced",
}


@pytest.mark.parametrize("test", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_known_defect_has_its_test(test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
