"""Febrile and endemic diseases that DDXPlus lacks: our own knowledge base, read and simulated."""

from training.sources.endemic.ages import AGE_BANDS
from training.sources.endemic.knowledge import endemic_knowledge, read_knowledge
from training.sources.endemic.model import (
    Background,
    Basis,
    EndemicDisease,
    EndemicKnowledge,
    FindingFrequency,
    Grade,
    probabilities,
)
from training.sources.endemic.simulate import simulate
from training.sources.endemic.tables import EndemicKnowledgeError, Relation, RelationKind

__all__ = [
    "AGE_BANDS",
    "Background",
    "Basis",
    "EndemicDisease",
    "EndemicKnowledge",
    "EndemicKnowledgeError",
    "FindingFrequency",
    "Grade",
    "Relation",
    "RelationKind",
    "endemic_knowledge",
    "probabilities",
    "read_knowledge",
    "simulate",
]
