"""From packets to levels, in virtual time: hours of networks, cuts, roams, flapping, new legs."""

from types import SimpleNamespace

import pytest

from media.monitor import Heard, Monitor
from media.ports import PageStats
from media.reports import HearerReports
from media.rtp import Kind
from rooms.model import Sound
from rooms.policy import MediaPolicy, QualityPolicy
from tests.support.traces import CUT, GOOD, HEAVY, MEDIOCRE, Episode, Network, Replay

POLICY = QualityPolicy()
HOUR = 3600


def replay(up=GOOD, down=GOOD, seed=1):
    return Replay(POLICY, up=up, down=down, seed=seed)


class TestMediocreNetworks:
    @pytest.mark.parametrize("name", MEDIOCRE)
    @pytest.mark.parametrize("seed", [1, 2])
    def test_an_hour_of_one_is_never_unusable(self, name, seed):
        hour = replay(MEDIOCRE[name], MEDIOCRE[name], seed).run(HOUR)
        assert Sound.UNUSABLE not in hour.levels
        assert max(hour.silences(), default=0) < 7
        assert hour.now == HOUR

    def test_five_percent_and_150_ms_are_mostly_fine(self):
        hour = replay(*2 * [Network(loss=0.05, delay=0.075)]).run(HOUR)
        ends = [at for at, _ in hour.crossings[1:]] + [hour.now]
        fine = sum(
            end - at
            for (at, level), end in zip(hour.crossings, ends, strict=True)
            if level is Sound.FINE
        )
        assert fine > 0.8 * HOUR

    def test_a_good_hour_has_one_crossing(self):
        assert replay().run(HOUR).levels == [Sound.FINE]


class TestFailures:
    @pytest.mark.parametrize("part", [0.0, 0.03, 0.1, 0.5, 0.77])
    def test_a_total_cut_is_silence_within_two_seconds_and_a_tick_or_two(self, part):
        seat = replay().run(20 + part)
        last = seat.heard
        seat.change(up=CUT).run(5)
        assert seat.levels == [Sound.FINE, Sound.SILENT]
        assert 2.0 <= seat.first(Sound.SILENT) - last <= 2.21

    @pytest.mark.parametrize("seed", range(10))
    def test_heavy_loss(self, seed):
        seat = replay(seed=seed).run(20 + seed / 10)
        broken = seat.now
        seat.change(up=HEAVY).run(30)
        assert seat.first(Sound.WEAK) - broken <= 5
        assert seat.first(Sound.UNUSABLE) - broken <= 8

    def test_heavy_loss_towards_the_browser_only(self):
        seat = replay().run(20)
        broken = seat.now
        seat.change(down=HEAVY).run(40)
        assert seat.first(Sound.UNUSABLE) - broken <= 30  # browsers report seldom

    def test_nothing_towards_the_browser(self):
        seat = replay().run(20)
        seat.change(down=CUT).run(30)
        assert seat.levels[-1] is Sound.UNUSABLE

    @pytest.mark.parametrize("shift", [0.0, 0.25, 0.55, 0.95])
    def test_a_gap_of_six_seconds_is_silence_and_then_fine(self, shift):
        gap = Network(episodes=[Episode(20 + shift, 26 + shift)])
        seat = replay(gap, gap).run(60)
        assert seat.levels == [Sound.FINE, Sound.SILENT, Sound.FINE]
        assert seat.first(Sound.FINE, after=20) - (26 + shift) <= 0.85

    def test_what_a_long_cut_swallowed_is_not_held_against_its_end(self):
        cut = Network(episodes=[Episode(20.0, 50.0)])
        seat = replay(cut, cut).run(80)
        assert seat.levels == [Sound.FINE, Sound.SILENT, Sound.FINE]
        assert seat.first(Sound.FINE, after=20) - 50.0 <= 0.85

    def test_a_gap_below_two_seconds_is_nothing(self):
        gap = Network(episodes=[Episode(20.3, 22.1)])
        assert replay(gap, gap).run(60).levels == [Sound.FINE]

    def test_flapping_is_silence_as_long_as_no_second_is_whole(self):
        flapping = Network(
            episodes=[Episode(20 + 3 * n, 22.8 + 3 * n) for n in range(10)],
        )
        seat = replay(flapping, flapping).run(55)
        assert seat.levels == [Sound.FINE, Sound.SILENT, Sound.FINE]
        assert seat.first(Sound.FINE, after=20) > 49.8

    def test_a_network_that_comes_and_goes_is_unusable_until_it_stays(self):
        flapping = Network(episodes=[Episode(20 + 6 * n, 24 + 6 * n) for n in range(5)])
        seat = replay(flapping, flapping).run(70)
        fine, gone, bad = Sound.FINE, Sound.SILENT, Sound.UNUSABLE
        assert seat.levels[:7] == [fine, gone, fine, gone, fine, gone, bad]
        assert fine not in seat.levels[7:-1]
        assert seat.levels[-1] is fine
        assert 5 <= seat.first(fine, after=36.8) - 48 <= 12

    def test_figures_of_a_cut(self):
        seat = replay().run(20)
        before = seat.monitor.figures
        assert (before.sound, before.loss_up, before.loss_down) == (Sound.FINE, 0, 0)
        assert before.score > 85
        seat.change(up=CUT).run(5)
        after = seat.monitor.figures
        assert (after.sound, after.loss_up) == (Sound.SILENT, 1)
        assert after.opinion < before.opinion


class TestCounters:
    def test_loss_is_counted_by_what_should_have_come(self):
        lossy = replay(up=Network(loss=0.2)).run(60).counters
        assert 2_800 <= lossy.sound_due <= 3_000
        assert 0.15 <= lossy.sound_lost / lossy.sound_due <= 0.25
        good = replay().run(60).counters
        assert good.sound_lost == 0
        assert 2_800 <= good.sound_due <= 3_000

    def test_seconds_that_nobody_can_use_are_counted(self):
        good = replay().run(60).counters
        assert (good.sounds_bad, 55 <= good.sounds_judged <= 60) == (0, True)
        heavy = replay(HEAVY, HEAVY).run(60).counters
        assert heavy.sounds_bad > heavy.sounds_judged / 3

    def test_silence_is_not_judged(self):
        seat = replay(up=CUT).run(60)
        assert seat.counters.sounds_judged == seat.counters.sound_due == 0


class TestLegs:
    def test_says_nothing_before_the_first_sound(self):
        monitor = Monitor(POLICY, 0.0)
        leg = SimpleNamespace(id="a", heard=None, sound=None, hears=list)
        assert [monitor.tick(at / 10, leg) for at in range(1, 100)] == 99 * [None]
        assert monitor.figures is None

    def test_a_leg_that_is_gone_is_silence_at_once(self):
        seat = replay().run(20)
        assert seat.monitor.tick(20.1, None) is Sound.SILENT
        assert seat.monitor.tick(20.2, None) is None

    def test_another_leg_begins_in_silence_and_is_soon_fine(self):
        seat = replay().run(20)
        seat.id = "another"
        seat.run(0.1)
        assert seat.levels[-1] is Sound.SILENT
        seat.run(0.9)
        assert seat.levels[-1] is Sound.FINE

    def test_a_stall_of_our_own_is_nobodys_silence(self):
        seat = replay().run(20)
        assert seat.monitor.tick(25.0, seat) is None
        seat.now = 25.0
        seat.run(10)
        assert seat.levels == [Sound.FINE]

    def test_reports_of_an_outage_do_not_outlive_it(self):
        gap = Network(episodes=[Episode(20, 32)])
        seat = replay(gap, gap).run(33.5)
        assert seat.levels[-1] is Sound.FINE
        seat.run(30)
        assert seat.levels[-1] is Sound.FINE


class TestTheOtherDirection:
    def heard(self, **what):
        reports = HearerReports(MediaPolicy())
        reports.at, reports.since = 19.9, 15.0
        for name, value in what.items():
            setattr(reports, name, value)
        return reports

    def after(self, heard, told=None):
        """The figures after two seconds in which this is what the browser hears."""
        seat = replay(down=None).run(20)
        seat.reported = heard
        for _ in range(20):
            if told:
                seat.monitor.told(told, seat.now)
            seat.run(0.1)
        return seat.monitor.figures

    def test_nothing_to_hear_is_unknown(self):
        assert self.after([]).loss_down is None

    def test_no_report_is_unknown(self):
        silent = HearerReports(MediaPolicy())
        assert self.after([Heard(Kind.AUDIO, silent, 3000, 0.0)]).loss_down is None

    def test_reports_that_cease_while_sound_goes_out_mean_that_none_arrives(self):
        figures = self.after([Heard(Kind.AUDIO, self.heard(loss=0.0), 500, 0.0)])
        assert figures.loss_down == 1

    def test_loss_of_pictures_never_counts_but_their_round_trip_does(self):
        picture = Heard(Kind.VIDEO, self.heard(loss=0.5, round_trip=0.3), 0, 0.0)
        figures = self.after([picture])
        assert (figures.loss_down, figures.round_trip) == (None, 0.3)

    def test_the_page_refines_what_reports_say(self):
        sound = Heard(Kind.AUDIO, self.heard(loss=0.0), 10, 0.0)
        told = PageStats(concealed=0.2, buffer=0.1, round_trip=0.5)
        figures = self.after([sound], told)
        assert figures.loss_down == pytest.approx(0.2)
        assert figures.round_trip == 0.5

    @pytest.mark.parametrize(("source", "own"), [(0.2, 0.0), (0.1, 0.111), (0.5, 0.0)])
    def test_what_others_lost_on_their_way_to_us_is_not_the_pages(self, source, own):
        sound = Heard(Kind.AUDIO, self.heard(loss=0.0), 10, source)
        figures = self.after([sound], PageStats(concealed=0.2, buffer=0.1))
        assert figures.loss_down == pytest.approx(own, abs=0.001)
