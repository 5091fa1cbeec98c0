"""How much the gateway takes on at once."""

import pytest

from sync_service.gateway.pressure import Pressure
from sync_service.protocol.errors import DeviceTooFastError, GatewayBusyError


def test_more_batches_in_hand_than_agreed_are_refused_before_any_work():
    pressure = Pressure(max_in_hand=2)
    with pressure.one_batch("a"), pressure.one_batch("b"):
        with pytest.raises(GatewayBusyError) as refused, pressure.one_batch("c"):
            pass
        assert refused.value.retry_after_s > 0
        assert pressure.in_hand == 2
    with pressure.one_batch("c"):
        assert pressure.in_hand == 1


def test_a_batch_that_fails_is_no_longer_in_hand():
    pressure = Pressure(max_in_hand=1)
    with pytest.raises(ZeroDivisionError), pressure.one_batch("a"):
        raise ZeroDivisionError
    assert pressure.in_hand == 0


def test_a_device_that_comes_too_fast_waits_and_the_others_do_not():
    now = [0.0]
    pressure = Pressure(burst=3, per_second=0.5, monotonic_s=lambda: now[0])

    def comes(device):
        with pressure.one_batch(device):
            pass

    for _ in range(3):
        comes("hasty")
    with pytest.raises(DeviceTooFastError) as refused:
        comes("hasty")
    assert refused.value.code == "sync.too_fast"
    comes("calm")
    now[0] += refused.value.retry_after_s  # it waits as long as it was told
    comes("hasty")
