"""The code tables as the transformations join them."""

import json
from functools import cache

import pyarrow as pa

from ddx.domain.artifacts import HPO_TERMS
from model_bundles.embedded import open_embedded_bundle
from training.lake.engine import Engine
from training.lake.silver import CodeTables
from training.sources.ehr.codes import condition_codes, observation_codes


def code_tables(engine: Engine) -> CodeTables:
    """Return the tables of `training.sources.ehr.codes` and the HPO ids of the bundle."""
    return CodeTables(
        observations=engine.frame(_observations()),
        conditions=engine.frame(_conditions()),
        aliases=engine.frame(_aliases()),
    )


def _observations() -> pa.Table:
    rows = observation_codes()
    return pa.table(
        {
            "code": [row.loinc for row in rows],
            "unit": [row.unit for row in rows],
            "vital": [row.vital for row in rows],
            "factor": [row.factor for row in rows],
            "offset": [row.offset for row in rows],
        }
    )


def _conditions() -> pa.Table:
    rows = condition_codes()
    return pa.table(
        {
            "system": pa.array([row.system for row in rows], pa.string()),
            "code": pa.array([row.code for row in rows], pa.string()),
            "finding": pa.array([row.finding for row in rows], pa.string()),
            "disease": pa.array([row.disease for row in rows], pa.string()),
        }
    )


@cache
def _aliases() -> pa.Table:
    """Return alternative HPO ids and the current one, of the release the bundle carries."""
    terms = json.loads(open_embedded_bundle().read(HPO_TERMS))["terms"]
    pairs = [(alias, term["id"]) for term in terms for alias in term["alt"]]
    return pa.table(
        {"alias": [alias for alias, _ in pairs], "current": [current for _, current in pairs]}
    )
