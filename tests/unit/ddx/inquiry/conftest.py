"""Banks and inquirers over the vocabulary that ships, with frequencies written by hand."""

import pytest
from support.inquiry import FlatModel, schema_of, trees_member

from ddx.domain.artifacts import COMMON_TREES
from ddx.inquiry.bank import QuestionBank
from ddx.inquiry.inquirer import Inquirer


@pytest.fixture
def bank_of(bundle_of, catalogue):
    """Return a function from findings and their frequencies (one row a disease) to a bank."""

    def made(findings, frequency):
        schema = schema_of(findings)
        member = {COMMON_TREES: trees_member(schema, frequency)}
        return QuestionBank.from_artifacts(bundle_of(member), schema, catalogue)

    return made


@pytest.fixture
def inquirer_of(bank_of, catalogue):
    """Return a function from diseases, their shares, findings and frequencies to an inquirer."""

    def made(shares, findings, frequency):
        model = FlatModel(schema_of(findings), tuple(shares), tuple(shares.values()))
        return Inquirer(bank_of(findings, frequency), catalogue, model)

    return made
