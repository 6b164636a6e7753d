import os

import numpy as np
import pytest

from media.phone.prompt_files import PromptFiles, practice_key
from rooms.model import Prompt
from rooms.policy import PromptPolicy
from tests.support.sounds import tone

PLACE = (practice_key("../../etc"), Prompt.FIRST_IN_LINE, "pt-br")


@pytest.fixture
def files(tmp_path):
    return PromptFiles(tmp_path / "prompts", PromptPolicy(made_kept=2))


def test_what_is_kept_is_found_again(files, tmp_path):
    files.keep_recorded(PLACE, tone(440, 0.1))
    files.keep_recorded(PLACE, tone(550, 0.1))
    ((place, sound),) = files.recorded().items()
    assert place == PLACE
    assert np.array_equal(sound, tone(550, 0.1))
    assert all(path.is_relative_to(tmp_path / "prompts") for path in tmp_path.rglob("*.wav"))
    files.drop_recorded(PLACE)
    files.drop_recorded(PLACE)
    assert files.recorded() == {}


def test_damaged_and_foreign_files_are_left_out(files, tmp_path):
    files.keep_recorded(PLACE, tone(440, 0.1))
    (kept,) = tmp_path.rglob("*.wav")
    kept.with_name("gate.en.wav").write_bytes(kept.read_bytes()[:20])
    kept.with_name("trial.en.wav").write_bytes(b"")
    kept.with_name("poem.en.wav").write_bytes(kept.read_bytes())
    kept.with_name("gate.wav").write_bytes(kept.read_bytes())
    assert set(files.recorded()) == {PLACE}


def test_the_oldest_of_what_was_spoken_goes_first(files, tmp_path):
    for age, digest in enumerate(("new", "middle", "old")):
        files.keep_spoken(digest, tone(440, 0.1))
        (path,) = tmp_path.rglob(f"{digest}.wav")
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    files.tidy()
    assert files.spoken("old") is None
    assert np.array_equal(files.spoken("new"), tone(440, 0.1))


def test_what_cannot_be_kept_is_spoken_again_another_time(tmp_path):
    tmp_path.joinpath("prompts").write_text("a file where the folder should be")
    files = PromptFiles(tmp_path / "prompts", PromptPolicy())
    files.keep_spoken("digest", tone(440, 0.1))
    assert files.spoken("digest") is None
    with pytest.raises(OSError, match=r"."):
        files.keep_recorded(PLACE, tone(440, 0.1))
