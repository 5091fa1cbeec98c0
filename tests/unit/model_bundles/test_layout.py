import importlib.metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_bundles import layout
from model_bundles.errors import BundleMalformedError

numbers = st.tuples(*[st.integers(0, 999_999)] * 3)


def test_the_reader_states_the_version_of_the_distribution():
    assert importlib.metadata.version("vereda") == layout.APP_VERSION


@given(numbers, numbers)
def test_versions_order_as_numbers_not_as_text(a, b):
    def spelled(version):
        return ".".join(map(str, version))

    assert (layout.version_key(spelled(a)) < layout.version_key(spelled(b))) == (a < b)


@pytest.mark.parametrize(
    "version",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.2.-3",
        "1.2.3 ",
        "1.2.3\n",
        "1.2.x",
        "../1.2.3",
        "1.2.٣",
        "1.2.1234567",
    ],
)
def test_a_version_with_a_second_spelling_is_refused(version):
    with pytest.raises(BundleMalformedError):
        layout.version_key(version)


@pytest.mark.parametrize("name", sorted(layout.KNOWN))
def test_every_member_we_ship_has_an_allowed_name(name):
    layout.check_name(name)


@pytest.mark.parametrize(
    "suffix", ["pkl", "pickle", "joblib", "pt", "py", "so", "dll", "exe", "h5"]
)
def test_members_that_could_run_code_are_refused(suffix):
    with pytest.raises(BundleMalformedError, match="refused"):
        layout.check_name(f"models/common.{suffix}")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x.json",
        "../x.json",
        "models/../x.json",
        "/models/x.json",
        "models/a/b.json",
        "models\\x.json",
        "models/x",
        "models/.json",
        "models/x.json\n",
        "Models/x.json",
        "models/c:x.json",
        "models/x.pkl.json/",
        "models/ñ.json",
        "models/" + "x" * 200 + ".json",
    ],
)
def test_a_name_that_could_leave_its_folder_is_refused(name):
    with pytest.raises(BundleMalformedError):
        layout.check_name(name)


def test_a_bundle_without_a_required_member_is_refused_by_name():
    names = layout.REQUIRED - {layout.NOTICES}
    with pytest.raises(BundleMalformedError, match=r"notices/NOTICES\.md"):
        layout.check_names(names)


def test_two_names_that_are_one_file_on_windows_are_refused():
    with pytest.raises(BundleMalformedError, match="share one name"):
        layout.check_names([*layout.REQUIRED, "notices/notices.md"])


def test_sizes_over_the_limits_are_refused():
    layout.check_sizes([0, layout.MAX_MEMBER_BYTES])
    with pytest.raises(BundleMalformedError):
        layout.check_sizes([layout.MAX_MEMBER_BYTES + 1])
    with pytest.raises(BundleMalformedError):
        layout.check_sizes([-1])
    with pytest.raises(BundleMalformedError):
        layout.check_sizes([layout.MAX_MEMBER_BYTES] * 5)


@pytest.mark.parametrize("channel", ["", "Stable", "../stable", "a/b", "x" * 40, "stable.json"])
def test_an_odd_channel_name_is_refused(channel):
    with pytest.raises(BundleMalformedError):
        layout.channel_path(channel)
