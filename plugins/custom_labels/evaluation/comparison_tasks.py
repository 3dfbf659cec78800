"""What puts the challenger's test images to the champion, so that both are judged on the same images."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from custom_labels.aws.inference import EndpointUnavailable, InferenceClient, PredictionStatus
from custom_labels.aws.predictions import InferenceImage
from custom_labels.core.context import ProjectContext
from custom_labels.core.gate import Scores
from custom_labels.core.inference_rate import version_rate
from custom_labels.core.live_version import LiveVersion
from custom_labels.errors import CustomLabelsError
from custom_labels.evaluation.answers import Answer, ChampionAnswer, Tally
from custom_labels.evaluation.comparison import Compared, OwnAnswers, SameImages, compare, images_digest, take_sample
from custom_labels.evaluation.decision_records import Decisions
from custom_labels.evaluation.evaluation_records import EvaluationAnswers, evaluation_answers, snapshot_etags
from custom_labels.evaluation.judged_record import JudgedRecord
from custom_labels.evaluation.settings import JudgeSettings
from custom_labels.s3.errors import MISSING
from custom_labels.s3.output_files import NoAnswers

log = logging.getLogger(__name__)

BATCH = 100
"""Images after which the champion's answers are written down: a run that is killed asks so many again at most."""


class NotComparable(CustomLabelsError):
    """The champion cannot be put to these images; the versions' own evaluations are compared instead."""


def compare_with_champion(
    ctx: ProjectContext,
    settings: JudgeSettings,
    champion: LiveVersion | None,
    described: Mapping[str, Any],
    version_name: str,
    digest: str,
) -> Scores | None:
    """Put a new version's test images to the live one, where it runs and the setting says so, and keep what came of it.

    The new version's own answers cost nothing: Custom Labels wrote them down.

    :param champion: the live version, ``None`` where no other serves.
    :param described: the new version as DescribeProjectVersions gives it.
    :param digest: of the snapshot that the version was trained on.
    :return: the scores of the champion's own evaluation.
    """
    decisions = Decisions(ctx.store, version_name)
    found = Compared()
    try:
        with evaluation_answers(ctx.store, ctx.project.task, described) as answers:
            own = Tally(answers)
            found = Compared(OwnAnswers(own.images, own.confusion(), own.curves()))
            if champion is not None:
                on_champion = _ChampionEvaluation(ctx, settings, champion, decisions)
                found = replace(found, same_images=on_champion.run(answers, own.images, digest))
    except (NotComparable, NoAnswers, EndpointUnavailable) as error:
        log.warning("The versions are compared by their own evaluations: %s.", error)
        found = replace(found, why_not=str(error))
    decisions.save_comparison(found)
    return _recorded_scores(ctx, champion) if champion else None


def _recorded_scores(ctx: ProjectContext, champion: LiveVersion) -> Scores | None:
    record = ctx.registry.version(champion.version_name, JudgedRecord)
    return record.evaluation.scores if record and record.evaluation else None


class _ChampionEvaluation:
    """The champion on the challenger's test images.

    What it answers is written down batch by batch, so that a run that is killed does not ask for it again.
    """

    def __init__(
        self, ctx: ProjectContext, settings: JudgeSettings, champion: LiveVersion, decisions: Decisions
    ) -> None:
        self.ctx = ctx
        self.settings = settings
        self.champion = champion
        self.decisions = decisions

    def run(self, answers: EvaluationAnswers, test_images: int, digest: str) -> SameImages:
        """Ask the champion about a sample, and compare.

        :param answers: the challenger's.
        :param digest: of the snapshot that the challenger was trained on.
        :raises NotComparable: it is switched off, the champion does not run, or not one image could be put to it.
        :raises EndpointUnavailable: the champion stopped answering.
        """
        self._require_champion()
        sample = take_sample(answers, self.settings.maximum_comparison_images)
        etags = self._etags(sample, digest)
        asked = self._ask_all(sample, etags)
        left_out = Counter(each.why_not for each in asked if each.why_not)
        pairs = [
            (answer.predicted_as(each.labels), answer)
            for answer, each in zip(sample, asked, strict=True)
            if not each.why_not
        ]
        if not pairs:
            reasons = "; ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
            raise NotComparable(f"none of {len(sample)} test images could be put to the champion: {reasons}")
        compared = images_digest((answer.image, etags[answer.image]) for answer, _ in pairs)
        return compare(pairs, self.champion.labels, test_images=test_images, digest=compared, left_out=left_out)

    def _require_champion(self) -> None:
        if not self.settings.compare_with_champion:
            variable = self.ctx.project.variable("compare_with_champion")
            raise NotComparable(f"Variable '{variable}' or the project file says so")
        champion = self.champion
        status = self.ctx.rekognition.describe_version(champion.project_arn, champion.version_name).status
        if status != "RUNNING":
            raise NotComparable(f"the champion {champion.version_name} is {status or 'not there any more'}")

    def _etags(self, sample: Sequence[Answer], digest: str) -> dict[str, str]:
        """Find what the images' contents were when the challenger was evaluated, by their URIs."""
        found = snapshot_etags(self.ctx.store, digest, map(self._key, sample))
        return {answer.image: found.get(self._key(answer), "") for answer in sample}

    def _key(self, answer: Answer) -> str:
        return answer.image.removeprefix(self.ctx.store.uri())

    def _ask_all(self, sample: Sequence[Answer], etags: Mapping[str, str]) -> list[ChampionAnswer]:
        """Ask about all images, some at a time; what was asked before is read."""
        # The detect DAG's workers go on asking the same version; this is one more.
        workers = self.ctx.project.detection_workers + 1
        rate = version_rate(self.ctx, self.champion, self.settings, workers)
        client = InferenceClient(self.champion, self.ctx.store, rate)
        records: list[ChampionAnswer] = []
        with self.ctx.lock.heartbeat(), ThreadPoolExecutor(client.threads) as pool:
            for number, start in enumerate(range(0, len(sample), BATCH)):
                images = [InferenceImage(self._key(one), etags[one.image]) for one in sample[start : start + BATCH]]
                kept = self.decisions.answers(self.champion.version_name, number)
                if [(each.key, each.etag) for each in kept] != [(image.key, image.etag) for image in images]:
                    kept = self._ask(pool, client, images)
                    self.decisions.save_answers(self.champion.version_name, number, kept)
                records += kept
        log.info("%s images, %s calls of DetectCustomLabels.", len(records), client.take_calls())
        return records

    def _ask(
        self, pool: ThreadPoolExecutor, client: InferenceClient[LiveVersion], images: Sequence[InferenceImage]
    ) -> list[ChampionAnswer]:
        try:
            return list(pool.map(partial(self._ask_one, client), images))
        except BaseException:
            client.stop()
            raise

    def _ask_one(self, client: InferenceClient[LiveVersion], image: InferenceImage) -> ChampionAnswer:
        if not self._is_as_it_was(image):
            return ChampionAnswer(image.key, image.etag, why_not="deleted, replaced or denied since the training")
        found = client.detect(image)
        if found.status is PredictionStatus.ANSWERED:
            return ChampionAnswer(image.key, image.etag, found.labels)
        code = found.message.partition(":")[0]
        return ChampionAnswer(image.key, image.etag, why_not=f"refused by the champion with {code}")

    def _is_as_it_was(self, image: InferenceImage) -> bool:
        """Whether the image has the content that the challenger was evaluated on."""
        from botocore.exceptions import ClientError

        try:
            # Where HeadObject is refused no code says more; one image that is denied is no reason not to judge.
            answer = self.ctx.store.call("head_object", image.key, expect=MISSING | {"403"})
        except ClientError:
            return False
        return bool(str(answer["ETag"]).strip('"') == image.etag)
