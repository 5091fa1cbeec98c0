"""A few of each fault of `python -m benchmarks.reliability`, which runs all of them.

Here: 25 kills, 10 full disks, 30 flipped bits, 20 planted names, 6 kills of a change of key.
"""

import os
import random
import signal
import time
from contextlib import suppress

import pytest
from sqlalchemy import text

from benchmarks import store_faults
from benchmarks.store_faults import (
    PASSPHRASE,
    Counted,
    NoSmallDiskError,
    Promised,
    a_clinic,
    read_back,
    signed_in,
    work,
)
from ddx.domain.identifiers import new_record_id
from desktop.store.vault import Vault

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


def nothing_went_wrong(counted):
    bad = (counted.lost, counted.corrupt, counted.broken_chains, counted.torn)
    assert (bad, counted.notes) == ((0, 0, 0, 0), [])


@needs_fork
def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path):
    counted = store_faults.kills(25, tmp_path, seed=20261125)
    nothing_went_wrong(counted)
    assert counted.faults == 25
    assert counted.acknowledged > 0


def test_a_full_disk_is_told_and_the_next_visit_still_fits(tmp_path):
    try:
        with store_faults.small_disk(tmp_path / "disk") as disk:
            counted = store_faults.full_disks(10, disk, seed=20261125)
    except NoSmallDiskError as error:
        pytest.skip(str(error))
    nothing_went_wrong(counted)
    assert counted.told == counted.went_on == counted.faults == 10


def test_a_flipped_bit_is_detected_and_crashes_nothing(tmp_path):
    counted = store_faults.flips(30, tmp_path, seed=20261125)
    assert (counted.faults, counted.undetected, counted.crashed) == (30, 0, 0)


def test_no_planted_name_or_key_is_in_any_file(tmp_path):
    names, files, found = store_faults.planted(20, tmp_path)
    assert names == 20
    assert files > 5
    assert found == []


def test_the_count_of_losses_notices_what_is_missing(tmp_path):
    clinic, promised, counted = a_clinic(tmp_path), Promised(), Counted()
    session = signed_in(clinic)
    work(session, promised.hear, rounds=2)
    session.close()
    read_back(clinic, promised, counted)
    nothing_went_wrong(counted)
    for line in ("diagnosed {} x", "decided {}", "sent {}"):
        promised.hear(line.format(new_record_id()))
    read_back(clinic, promised, counted)
    assert counted.lost == 3
    session = signed_in(clinic)
    with session._desk.store.write() as unit:  # hashes hold, one signature does not
        unit._session.execute(text("DROP TRIGGER audit_entry_no_update"))
        unit._session.execute(
            text(
                "UPDATE audit_entry SET signature = (SELECT signature FROM audit_entry "
                "WHERE sequence = 2) WHERE sequence = 3"
            )
        )
    session.close()
    read_back(clinic, promised, counted)
    assert counted.broken_chains == 1
    assert "foreign_key" in counted.notes[-1]
    database = tmp_path / "store" / "clinic.db"
    database.write_bytes(database.read_bytes()[:-4096])
    read_back(clinic, promised, counted)
    assert counted.corrupt == 1


@needs_fork
def test_a_change_of_key_killed_at_any_moment_leaves_a_store_that_opens(tmp_path):
    clinic, promised, dice = a_clinic(tmp_path), Promised(), random.Random(20261125)
    session = signed_in(clinic)
    work(session, promised.hear, rounds=3)
    session.close()
    who = clinic.clinicians()[0].id
    for _ in range(6):
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                clinic.change_data_key(who, PASSPHRASE)
            os._exit(0)
        time.sleep(dice.uniform(0, 0.4))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        Vault(tmp_path / "store")  # what the next start does first
        counted = Counted()
        clinic._vault.attempts._path.unlink(missing_ok=True)  # kills count as failed tries
        read_back(clinic, promised, counted)
        nothing_went_wrong(counted)


@pytest.mark.parametrize("moment", ["built", "ready", "aside"])
def test_a_restore_interrupted_between_two_renames_is_finished_or_forgotten(
    tmp_path, moment, monkeypatch
):
    from desktop.store import swap

    clinic = a_clinic(tmp_path)
    session = signed_in(clinic)
    made = session.keeping.back_up()
    session.close()

    class Killed(BaseException):
        pass

    def dies(*_arguments):
        raise Killed

    if moment == "built":
        monkeypatch.setattr(swap, "make_ready", dies)
    else:
        monkeypatch.setattr(swap, "finish", dies)
    with pytest.raises(Killed):
        clinic.restore(made.folder, PASSPHRASE)
    monkeypatch.undo()
    if moment == "aside":  # the old store was moved, the new one not yet
        (tmp_path / "store").rename(tmp_path / "store.replaced-x")
    again = a_clinic(tmp_path)
    again._vault.attempts._path.unlink(missing_ok=True)
    session = signed_in(again)
    with session._desk.store.read() as unit:
        assert unit.device.get().epoch == (1 if moment == "built" else 2)
    session.close()
