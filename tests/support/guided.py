"""What a table of weights can say beside its list: questions, why not, actions, triage."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace

from ddx.assessment import Assessment, open_diseases
from ddx.domain.differential import Differential, World
from ddx.domain.explanation import Explanation
from ddx.explain.why_not import TOP, open_answers, standing_in, why_not
from ddx.inquiry.effort import RURAL_POST, Means
from ddx.inquiry.inquirer import Question
from ddx.inquiry.stop import Proposal, StopReason
from ddx.safety import Flags, Recommendations, triage
from ddx.terminology.catalogue import Catalogue


class Guided:
    """For engines with `diagnose`, `explain` and `catalogue`.

    askable: (finding, means) in the order to ask. kept: what cannot be set aside, None unsaid.
    actions: (disease, es, en).
    """

    diagnose: Callable[..., Differential]
    explain: Callable[..., Explanation]
    catalogue: Catalogue

    askable = ()
    kept = None
    actions = ()

    def at_once(self, case):
        return self.diagnose(case)

    def without(self, models):
        other, whole = copy.copy(self), self.diagnose
        stopped = tuple(world for world in World if world in models)

        def diagnose(case, limit=50):
            made = whole(case, limit)
            left = tuple(c for c in made.candidates if c.world not in stopped)
            return replace(made, candidates=left, blocked=stopped)

        other.diagnose = other.at_once = diagnose
        return other

    def explain_several(self, case, diseases, reading=None):
        return tuple(self.explain(case, disease) for disease in diseases)

    def assess(self, case, *, equipment=RURAL_POST, questions=5):
        """Without questions it is what a visit records; with them, what the hand waits for."""
        made = self.at_once(case) if questions else self.diagnose(case)
        return Assessment(
            differential=made,
            triage=triage(case, Flags.of(case, self.catalogue), open_diseases(made, self.kept)),
            not_excluded=self.kept,
            inquiry=self._inquiry(case, equipment, questions),
        )

    def _inquiry(self, case, equipment, limit):
        told = {f.id for f in case.findings}
        left = [
            self._question(finding, means)
            for finding, means in self.askable
            if finding not in told and equipment.can(means)
        ]
        stop = None if left else StopReason.NOTHING_LEFT
        return Proposal(questions=tuple(left[:limit]), stop=stop)

    def _question(self, finding, means):
        group = self.catalogue.term(finding).group
        same = [f for f, _ in self.askable if group and self.catalogue.term(f).group == group]
        return Question(
            subject=group or finding,
            findings=tuple(same) or (finding,),
            gain_bits=1.0,
            worth=1.0,
            chance=0.5,
            means=means,
            cost=1.0,
        )

    def why_not(self, case, disease, *, may_go_on=lambda: True):
        above = [c.disease for c in self.diagnose(case, TOP).candidates if c.disease != disease]
        answers = open_answers(self.explain(case, disease), [self.explain(case, d) for d in above])

        def rank_of(asked, named):
            return standing_in(self.diagnose(asked), named)

        return why_not(case, disease, answers, rank_of, may_go_on=may_go_on)

    def recommendations(self, disease, language="es"):
        guideline = {"id": "g", "organisation": "OPS", "title": "Guía", "year": 2022, "doi": ""}
        rows = [
            {"disease": d, "kind": "act", "es": es, "en": en, "guideline": "g"}
            for d, es, en in self.actions
        ]
        member = {"format": 1, "guidelines": [guideline], "recommendations": rows}
        return Recommendations.from_json(json.dumps(member).encode()).of(disease, language)


QUESTION = Means.QUESTION
