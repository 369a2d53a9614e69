"""Lines of text: as large as asked for, nothing but letters, on any machine, whatever the text."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ArtworkError
from tiles import fontconfig
from tiles.fontconfig import configure_fonts
from tiles.lettering import MAX_CHARACTERS, draw_line, turned
from tiles.resample import Rgba

REPOSITORY = Path(__file__).parents[2]
ROOM = (4000, 4000)
INK = (200, 30, 7)

any_text = st.text(st.characters(exclude_categories=()), max_size=30)  # lone surrogates too
angles = st.floats(-360, 360)


def line(text: str, height_px: int = 60, longest: tuple[int, int] = ROOM) -> Rgba:
    return draw_line(text, height_px=height_px, longest=longest, colour=INK)


def inked_rows(letters: Rgba) -> tuple[int, int]:
    """Return the first and the last row that is more than half covered somewhere."""
    rows = np.flatnonzero((letters[..., 3] > 127).any(axis=1))
    return int(rows[0]), int(rows[-1])


def is_tight(pixels: Rgba) -> bool:
    alpha = pixels[..., 3]
    return bool(alpha[0].any() and alpha[-1].any() and alpha[:, 0].any() and alpha[:, -1].any())


class TestSize:
    @given(st.integers(1, 200), st.sampled_from(["x", "Xg", "Größe M", "Привет", "שלום"]))
    def test_a_line_is_as_high_as_asked_for_whatever_its_letters(self, height_px: int, text: str) -> None:
        assert len(line(text, height_px)) == height_px

    @given(st.integers(1, 900), st.sampled_from(["x", "Xg", "PREVIEW", "iiiiiiiiiiiiii", "שלום"]))
    def test_a_line_is_as_wide_as_asked_for(self, width_px: int, text: str) -> None:
        assert draw_line(text, width_px=width_px, longest=ROOM, colour=INK).shape[1] == width_px

    @pytest.mark.parametrize("text", ["X", "Xx", "Xg", "Xgjpq,;", "X…"])
    def test_letters_have_the_same_size_and_baseline_whatever_is_beside_them(self, text: str) -> None:
        alone = line("X", 200)
        assert inked_rows(line(text, 200)[:, : alone.shape[1]]) == inked_rows(alone)

    @pytest.mark.parametrize("text", ["x", "Xg", "– Größe M –", "مرحبا"])
    def test_no_column_is_empty_at_either_side(self, text: str) -> None:
        alpha = line(text)[..., 3]
        assert all(column.any() for column in (alpha[:, 0], alpha[:, -1]))

    def test_letters_that_reach_out_of_the_line_are_whole(self) -> None:
        stacked, plain = line("Ẫ\u0302\u0302", 100), line("A", 100)
        assert len(stacked) > 100
        assert not (stacked[0, :, 3] > 127).all()
        assert np.ptp(inked_rows(stacked)) > 1.4 * np.ptp(inked_rows(plain))

    @given(st.text("Xgl –é\u0302", min_size=1, max_size=60), st.tuples(st.integers(1, 300), st.integers(1, 300)))
    def test_the_whole_line_fits_what_is_the_longest(self, text: str, longest: tuple[int, int]) -> None:
        try:
            height, width, _ = line(text, 80, longest).shape
        except ArtworkError:
            return
        assert (width <= longest[0], height <= longest[1]) == (True, True)

    def test_a_line_that_is_too_wide_is_made_smaller_as_a_whole(self) -> None:
        free, bound = line("PREVIEW", 100), line("PREVIEW", 100, (200, 100))
        assert bound.shape[1] == 200
        assert len(bound) == round(100 * 200 / free.shape[1])

    def test_a_large_line_looks_as_a_small_one_does(self) -> None:
        small, large = (draw_line("Rg", width_px=width, longest=ROOM, colour=INK) for width in (300, 3900))
        reduced = large[:, :, 3].reshape(len(large), 300, 13).mean(axis=2)
        assert abs(reduced.sum() / 13 - small[..., 3].sum()) < 0.01 * small[..., 3].sum()

    def test_one_size_is_asked_for(self) -> None:
        with pytest.raises(ValueError, match="height_px or"):
            draw_line("x", height_px=10, width_px=10, longest=ROOM, colour=INK)
        with pytest.raises(ValueError, match="height_px or"):
            draw_line("x", longest=ROOM, colour=INK)


class TestText:
    @given(any_text)
    def test_any_text_is_drawn_or_refused_with_a_remedy(self, text: str) -> None:
        try:
            letters = line(text, 20)
        except ArtworkError as error:
            assert error.remedy
        else:
            assert letters[..., 3].any()

    @pytest.mark.parametrize("text", ["", " ", "\n\t\x00", "\u200b", "\u3000", "\u00ad"])
    def test_a_text_without_anything_to_see_is_refused(self, text: str) -> None:
        with pytest.raises(ArtworkError, match="nothing would be seen") as refusal:
            line(text)
        assert refusal.value.remedy

    def test_a_text_shrunk_until_nothing_is_left_is_refused(self) -> None:
        with pytest.raises(ArtworkError, match="nothing would be seen"):
            line("." + " " * 900 + ".", 10, (3, 3))

    def test_a_text_beyond_all_bounds_is_refused(self) -> None:
        line("x" * MAX_CHARACTERS, 10)
        with pytest.raises(ArtworkError, match="1,001 characters") as refusal:
            line("x" * (MAX_CHARACTERS + 1), 10)
        assert refusal.value.remedy

    @pytest.mark.parametrize("ends", ["\n", "\r", "\t", "\x00", "\x1b", "\x85", "\u2028", "\u2029"])
    def test_control_characters_and_line_ends_are_spaces(self, ends: str) -> None:
        assert np.array_equal(line(f"a{ends}b"), line("a b"))

    @pytest.mark.parametrize("text", ["<b>x</b>", "a &amp; b", "<", "&", '<span size="1">x</span>', "</", "&#0;"])
    def test_markup_is_shown_and_not_obeyed(self, text: str) -> None:
        narrowest = line("i").shape[1] * len(text) / 2
        assert line(text).shape[1] > narrowest
        assert not np.array_equal(line(text), line(text.replace("&amp;", "&").replace("<b>x</b>", "x") + "."))

    def test_text_runs_from_right_to_left_where_it_is_written_so(self) -> None:
        alpha = line("יש")[..., 3]  # yod, which hangs at the top of the line, is the first letter
        low = np.flatnonzero(alpha[inked_rows(line("x"))[1] - 2] > 127)
        assert low.max() < 0.8 * alpha.shape[1]

    def test_letters_of_one_word_join_where_they_are_written_so(self) -> None:
        apart, joined = line("ب ب"), line("بب")
        assert (apart[..., 3] == 0).all(axis=0).any()
        assert not (joined[..., 3] == 0).all(axis=0).any()


class TestColour:
    def test_letters_have_their_colour_and_all_else_is_0(self) -> None:
        letters = line("Rg &")
        inked = letters[..., 3] > 0
        assert np.unique(letters[inked][:, :3], axis=0).tolist() == [list(INK)]
        assert not letters[~inked].any()

    def test_edges_are_smooth(self) -> None:
        assert len(np.unique(line("O", 20)[..., 3])) > 60


class TestTurning:
    @pytest.mark.parametrize(("degrees", "quarters"), [(0, 0), (90, 1), (180, 2), (270, 3), (360, 0), (-90, 3)])
    def test_a_quarter_turn_changes_no_pixel(self, degrees: int, quarters: int) -> None:
        letters = turned(line("Rg"), 0)
        assert np.array_equal(turned(letters, degrees), np.rot90(letters, quarters))

    def test_it_turns_counter_clockwise(self) -> None:
        flag = np.zeros((20, 200, 4), np.uint8)
        flag[..., 3] = 255
        flag[:, 180:, 0] = 255  # its right end is red
        rows, columns = np.nonzero(turned(flag, 30)[..., 0] > 127)
        height, width, _ = turned(flag, 30).shape
        assert (rows.mean() < 0.2 * height, columns.mean() > 0.8 * width) == (True, True)

    @given(angles)
    def test_what_is_turned_is_cut_to_what_is_seen_and_has_no_fringe(self, degrees: float) -> None:
        pixels = turned(line("Rg", 30), degrees)
        inked = pixels[..., 3] > 0
        assert is_tight(pixels)
        assert np.unique(pixels[inked][:, :3], axis=0).tolist() == [list(INK)]
        assert not pixels[~inked].any()

    @given(angles)
    def test_nothing_is_lost_on_the_way(self, degrees: float) -> None:
        block = np.full((40, 90, 4), 255, np.uint8)
        assert int(turned(block, degrees)[..., 3].sum()) == pytest.approx(int(block[..., 3].sum()), rel=0.01)

    def test_what_is_wholly_transparent_remains_so(self) -> None:
        assert not turned(np.zeros((3, 5, 4), np.uint8), 20).any()


SHOW = """
import resource, sys
from tiles.vips import start
from tiles.lettering import draw_line
start(threads=1)
def draw(text, height_px=60, longest=(4000, 4000)):
    return draw_line(text, height_px=height_px, longest=longest, colour=(0, 0, 0))
"""


def child(code: str, **variables: str) -> str:
    """Run Python in a process of its own, in which nothing has been drawn yet; return what it wrote."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("FONTCONFIG", "XDG"))}
    done = subprocess.run(
        [sys.executable, "-c", SHOW + code],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**environment, **variables},
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.fixture
def no_fonts(tmp_path: Path) -> str:
    """Return a configuration of fontconfig by which the machine has no fonts."""
    path = tmp_path / "fonts.conf"
    path.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    return str(path)


SAMPLES = "Aß–€ΩЖабאبԱა→∞✓★"


class TestMachine:
    def test_letters_are_drawn_where_there_are_no_fonts(self, no_fonts: str) -> None:
        code = f"""
def is_boxed(text):
    alpha = draw(text)[..., 3] > 127
    alpha = alpha[alpha.any(axis=1)][:, alpha.any(axis=0)]
    sides = alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]
    return alpha.mean() < 0.9 and all(side.mean() > 0.8 for side in sides)
print([text for text in "\\ue000" + {SAMPLES!r} if is_boxed(text)])
"""
        assert child(code, FONTCONFIG_FILE=no_fonts) == r"['\ue000']"  # which no font has: its code in a box

    def test_a_line_is_as_large_there_as_elsewhere(self, no_fonts: str) -> None:
        code = f"print(draw({SAMPLES!r}).shape)"
        assert child(code, FONTCONFIG_FILE=no_fonts) == str(line(SAMPLES).shape)

    def test_nothing_is_complained_of_where_fonts_are_not_configured_and_nothing_can_be_written(self) -> None:
        code = f"print(draw({SAMPLES!r}).shape)"
        assert child(code, FONTCONFIG_FILE="/nowhere", HOME="/proc/nobody") == str(line(SAMPLES).shape)

    def test_a_long_caption_takes_little_memory(self) -> None:
        code = """
draw("x")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for longest in ((4000, 300), (100_000, 300)):
    draw("Wm" * 250, 300, longest)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
        assert int(child(code)) < 250  # of which the longer one takes 120 as it is handed over

    def test_the_machines_own_configuration_is_left_alone(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_fonts: str
    ) -> None:
        monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
        monkeypatch.setattr(fontconfig, "_SYSTEM_FOLDER", str(tmp_path))
        configure_fonts()
        assert "FONTCONFIG_FILE" not in os.environ
        monkeypatch.setattr(fontconfig, "_SYSTEM_FOLDER", "/nowhere")
        monkeypatch.setenv("FONTCONFIG_PATH", f"/elsewhere:{tmp_path}")
        configure_fonts()
        assert "FONTCONFIG_FILE" not in os.environ
        monkeypatch.setenv("FONTCONFIG_FILE", no_fonts)
        configure_fonts()
        assert os.environ["FONTCONFIG_FILE"] == no_fonts

    def test_a_machine_without_any_has_that_of_the_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FONTCONFIG_FILE", "")
        monkeypatch.delenv("FONTCONFIG_PATH", raising=False)
        monkeypatch.setattr(fontconfig, "_SYSTEM_FOLDER", "/nowhere")
        configure_fonts()
        assert Path(os.environ["FONTCONFIG_FILE"]).is_file()

    def test_a_program_without_its_font_says_so(self, no_fonts: str) -> None:
        code = """
from pathlib import Path
from tiles import lettering
from config.errors import ArtworkError
lettering._FONT = Path("/nowhere/font.ttf")
try:
    draw("x")
except ArtworkError as error:
    print(error)
"""
        assert "/nowhere/font.ttf cannot be read\n  Install" in child(code, FONTCONFIG_FILE=no_fonts)


def test_the_font_lies_beside_its_licence() -> None:
    folder = REPOSITORY / "tiles" / "fonts"
    assert {path.name for path in folder.iterdir()} == {"TilepressSans.ttf", "LICENSE.txt", "fonts.conf"}
    assert (folder / "TilepressSans.ttf").stat().st_size < 400_000
