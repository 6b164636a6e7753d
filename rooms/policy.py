"""Every duration, limit and threshold, each with its reason. No other file holds such a number.

``Policy`` rules the visit, ``MediaPolicy`` the packets, ``PhonePolicy`` the telephones,
``EdgePolicy`` the doors of the server.
Durations are seconds, sizes are bytes, rates are per second unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rooms.model import CallFailure


def _retries() -> Mapping[CallFailure, float | None]:
    return {
        CallFailure.BUSY: 60.0,  # a call of a minute; sooner finds it busy again
        CallFailure.NO_ANSWER: 60.0,  # time to find the telephone that rang
        CallFailure.NOBODY_CONFIRMED: 60.0,  # voicemail: the telephone may be switched on by then
        CallFailure.HUNG_UP: 10.0,  # by mistake, mostly: "1" was not found, a cheek touched the key
        CallFailure.BROKEN: 10.0,  # the mobile network finds itself again
        CallFailure.LOST: 0.0,  # our own restart; the announcement explains it
        CallFailure.CARRIER_DOWN: 30.0,  # two missed health checks away from being noticed
        CallFailure.LIMITED: None,
        CallFailure.DECLINED: None,  # somebody looked at it and said no
        CallFailure.BLOCKED: None,  # every carrier tried; more calls make it worse
        CallFailure.BAD_NUMBER: None,
        CallFailure.WRONG_PERSON: None,
        CallFailure.REFUSED: None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackPolicy:
    """When somebody is called, for how long, how often, and when their sound goes back."""

    media_within: float = 20.0  # from coming in to the first sound; a slow phone needs ten
    call_after_silence: float = 5.0  # and two until silence is noticed: a roam takes about five
    call_after_goodbye: float = 8.0  # the page said goodbye: a reload on a slow phone is back by then
    call_after_hidden: float = 43.0  # and two: switching apps on the very phone that would ring
    call_after_unusable: float = 4.0  # and six until it counts as unusable: ten of bad sound
    call_after_return: float = 10.0  # a page that is back has its sound within ten, on a slow phone
    call_after_restart: float = 12.0  # pages find a restarted server within five, slow ones ten
    ring_for: float = 25.0  # most voicemail answers after 20 to 30
    ring_overdue: float = 15.0  # beyond ring_for: the carrier has forgotten the call
    gate_for: float = 45.0  # three or four announcements; a confused person needs two
    gate_for_relay: float = 90.0  # a relay operator types or signs it first
    greeting_for: float = 300.0  # staff speak with whoever answered; then the gate closes
    wrong_keys: int = 10  # at one gate; more is a child or a machine
    joins_after: float = 3.0  # "<Name>'s phone is joining" is heard before the telephone is
    steady_for: float = 20.0  # of good sound by the browser before the picture returns
    steady_longest: float = 160.0  # three setbacks; nobody wants to be told more often
    fade_for: float = 1.0  # telephone and browser are both heard, one fading
    max_calls: int = 3  # of the server's own accord, per person and visit
    max_calls_by_hand: int = 6  # staff see what happened to each; more is harassment
    attempts_kept: int = 10
    retry_after: Mapping[CallFailure, float | None] = field(default_factory=_retries)  # None: never


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How visits behave."""

    fallback: FallbackPolicy = field(default_factory=FallbackPolicy)

    opens_before: float = 30 * 60  # people told "be early" come up to half an hour early
    overrun: float = (
        2 * 60 * 60
    )  # clinics run late; ending a running visit by clock is the last resort
    deserted_after: float = 20 * 60  # everybody gone this long will not come back by themselves
    waiting_place_kept: float = 10 * 60  # a closed lid or a lift ride must not cost the place
    max_seats: int = 24  # a family conference with staff; bounds every per-visit loop
    max_devices: int = 8  # at once; phone, tablet, laptop and helpers; more is a leaked link
    max_inside: int = 12  # what one grid and one home downlink can carry
    notices_kept: int = 10  # what somebody who waits can still scroll back to
    max_notice: int = 500  # characters; a message, not a letter
    max_numbers: int = 5  # of one seat: their own, a landline, and who is called in an emergency
    max_name: int = 128  # characters; the longest names people really have fit
    video_kbps: tuple[int, ...] = (1_500, 1_500, 1_000, 700, 500, 400, 350, 300)
    # by headcount (1, 2, …): everybody's downlink carries (n - 1) pictures, and 2 Mbit/s is a home link

    def video_kbps_for(self, headcount: int) -> int:
        """The most one sender's picture may take, in kbit/s, with this many people inside."""
        index = min(max(headcount, 1), len(self.video_kbps)) - 1
        return self.video_kbps[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPolicy:
    """How packets are carried."""

    consent_expires: float = 30.0  # RFC 7675 section 5.1; Firefox checks every 5.5 s at worst
    handshake_within: float = 20.0  # from answer to keys: a slow phone, lost flights and all
    path_silent: float = 3.0  # longer than Chromium's 2.7 s between checks, so a live path never is
    sound_silent: float = 1.0  # fifty packets were due and none came: ask for another path
    max_paths: int = 8  # addresses of one peer at a time: Wi-Fi, mobile, IPv4, IPv6, UDP, TCP
    offer_after: float = 0.02  # changes this close together travel in one offer
    tick: float = 0.1  # feedback that rides on time; congestion control wants 50 to 250 ms
    report_every: float = 1.0  # receiver reports: what browsers do for video
    key_request_every: float = 0.5  # a key frame costs its sender about ten ordinary ones
    nack_tries: int = 8  # with one tick between them: older video is not worth having
    nack_limit: int = 100  # packets of a picture asked for at once; more lost needs a key frame
    max_gap: int = 1_000  # packets of sound; a longer hole is a new beginning (RFC 3550 A.1: 3,000)
    history_packets: int = 512  # of one picture: 3 s at 1.5 Mbit/s, about half a megabyte
    resends_per_second: int = 500  # to one hearer; bounds what forged requests can multiply
    packets_per_second: int = 2_000  # from one sender; 3 Mbit/s of video and sound are 400
    requests_per_second: int = 200  # feedback packets from one hearer; eight pictures need about 40
    checks_per_second: int = 100  # STUN requests of one peer; gathering browsers send up to 50
    checks_remembered: int = 32  # STUN requests that do not count again from another address
    max_ssrcs: int = 32  # streams one peer may ever send: each is memory inside libsrtp
    max_sdp: int = 48 * 1024  # bytes; an answer takes about 1.25 KB a line
    max_m_lines: int = 33  # sound, picture and telephone of everybody else of ``Policy.max_inside``
    video_kbps: int = 2_000  # what one picture may ever take, overhead included
    feedback_packets: int = (
        400  # packets in one transport-wide report, so that it fits one datagram
    )
    feedback_span: int = (
        2_000  # packets reported at a time; a wider hole says nothing of the network
    )
    reports_remembered: int = 8  # sender reports that a hearer may still refer to: eight seconds
    report_least: int = 50  # packets between two reports that are compared: fewer are all chance
    report_slack: int = 4  # packets that a report may miss because they are under way
    held_back: int = 2_000  # packets that an impairment delays, each way: more is a leak, no network
    port_attempts: int = 16  # to find one number that is free for every address, UDP and TCP
    tcp_frame: int = 2_000  # bytes; whatever a browser frames fits one Ethernet packet
    tcp_hello: float = 5.0  # a connection that has not proven itself by then is closed
    max_tcp_strangers: int = 256  # connections that have not proven themselves yet
    tcp_backlog: int = 128 * 1024  # bytes waiting in one connection; a second of video is late
    socket_buffer: int = 4 * 1024 * 1024  # bytes; half a second of a full node
    packets_per_wake: int = 64  # then the loop may serve others
    dtls_backlog: int = 16  # records waiting for the handshake; a flight is four


@dataclass(frozen=True, slots=True, kw_only=True)
class PhonePolicy:
    """How telephones are called, and how their sound is carried."""

    jitter_frames: int = 3  # 20 ms each, waiting before the first is played; 2 ran dry in trials
    jitter_most: int = 12  # frames of delay at worst: beyond a quarter second people talk over each other
    jitter_window: float = 1.0  # how long a frame must be spare before it is dropped: a clock's drift
    jitter_patience: float = 3.0  # without a late packet, then one frame less is kept in reserve
    clock_jump: float = 1.0  # timestamps further off than this begin anew: nothing is that late
    conceal_frames: int = 3  # of a lost sound are guessed, fading; longer guesses sound like a robot
    voice_kbps: int = 24  # a telephone's sound towards browsers: all there is below 4 kHz
    voice_loss: int = 10  # percent that the encoder's repair data is made for
    voice_effort: int = 1  # of 10: no difference to hear below 4 kHz, and half the CPU of 3
    bridge_catches_up: int = 3  # frames at once after a stall; the rest is left out, or talk stays late
    limiter_from: int = 4  # voices at once; fewer seldom add up to more than a telephone can take
    limiter_knee: float = 0.6  # of full scale; above it loud is pressed together
    fade_for: float = 1.0  # telephone and browser are both heard, one fading
    ducked: float = 0.25  # -12 dB: what others say under an announcement
    duck_within: float = 0.2  # quicker clicks, slower covers the first word
    prompt_pause: float = 2.0  # between two repeats: time to find the key
    prompt_every: float = 6.0  # from start to start, at least: short ones are not nagged
    echo_delay: float = 0.5  # the longest way into a mobile network and back
    echo_every: float = 0.1  # between two looks for it: the dearest part of a turn
    echo_window: float = 2.0  # ten syllables tell an echo from somebody else's speech
    echo_likeness: float = 0.7  # correlation; two people's speech stays below 0.6
    echo_rises: int = 3  # from quiet to loud in the window: two tones that begin together are no echo
    echo_margin: float = 1.6  # 4 dB louder than the echo should be is somebody speaking
    echo_left: float = 0.03  # -30 dB: below the noise of the line
    echo_memory: float = 10.0  # the way of an echo does not change while nobody speaks
    compare_window: float = 4.0  # a sentence or two
    compare_reach: float = 0.6  # a telephone runs up to half a second behind a browser
    compare_every: float = 0.2  # nobody notices sooner
    compare_likeness: float = 0.8  # correlation; stricter than for echo: a mistake moves the sound
    compare_spoken: float = 0.2  # of the window is speech; a cough is not enough
    compare_rises: int = 4  # from quiet to loud in the window; speech has ten, a hum or a tone one
    speech_level: float = 300.0  # root mean square, -40 dB of full scale: above a quiet room
    sip_message: int = 16 * 1024  # bytes; the longest message of a trunk, with all its routes, takes 4
    sip_line: int = 2_048  # bytes of one header, so that no pattern runs long on it; routes take 300
    sip_lines: int = 128  # headers of one message; real ones have 15 to 40
    sip_transactions: int = 512  # at once on one trunk; a call has two or three, floods have more
    sip_tries: int = 3  # one request with its challenges: of a proxy, of the trunk, and a stale nonce
    sip_reply_within: float = 5.0  # for an answer to BYE or CANCEL: four repeats over UDP
    setup_within: float = 6.0  # a trunk says 100 within a second; another carrier may ring meanwhile
    cancel_within: float = 8.0  # from CANCEL to the end of the INVITE; then it is listened for in silence
    keep_within: float = 1.0  # for the ledger to note an answer; the telephone waits for its ACK
    hang_up_within: float = 2.0  # for all BYEs and CANCELs at shutdown; supervisors give ten seconds
    abandon_listens: float = 2.0  # for the end of a former INVITE; then its dialog gets a BYE, in case
    way_within: float = 60.0  # for a lost connection to be back before a call is hung up over it
    acks_repeated: int = 12  # of one answer; more is a loop of two machines (69,000 were measured)
    options_first: float = 0.5  # after the start, which has more urgent things to do
    options_every: float = 30.0  # keeps the way through routers open, and notices a dead trunk
    options_again: float = 5.0  # sooner while the trunk does not answer
    options_within: float = 3.0  # a living trunk took 2 ms, a far one takes 300
    options_missed: int = 2  # one datagram may get lost; two seldom
    trunk_connect_within: float = 5.0  # TCP and TLS to a trunk: four round trips
    trunk_reconnect: float = 0.5  # then double, while the trunk refuses connections
    trunk_reconnect_most: float = 30.0  # a trunk that is back is found again within half a minute
    sip_backlog: int = 256 * 1024  # bytes waiting in one connection; a trunk that stopped reading
    session_expires: int = 1_800  # seconds; what RFC 4028 section 4 recommends
    refresh_again: float = 4.0  # after a collision of refreshes (RFC 3261 section 14.1: 2.1 to 4 s)
    line_check: float = 0.5  # how often an answered call is looked at
    line_quiet: float = 20.0  # neither sound nor reports: three reports are missing; then we ask
    phone_report: float = 5.0  # RTCP to the telephone (RFC 3550 section 6.2)
    key_held: float = 0.1  # of a digit that we dial: twice what networks must recognise
    key_gap: float = 0.1  # between two digits
    key_pause: float = 1.0  # for a comma among the digits, as telephones have it
    rtp_attempts: int = 200  # to find a free pair of ports in the range


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPolicy:
    """How announcements are made, kept and recorded."""

    lead: float = 0.3  # of silence before what is said at once on answering: the phone travels to the ear
    speech_level: float = -20.0  # dBov while speaking (ITU-T P.56); old ears, small loudspeakers
    peak_level: float = -2.0  # dBov; G.711 and codecs after it overshoot a little
    speech_floor: float = -30.0  # dB below loud speech: quieter is room, not speech
    speech_loud: float = 95.0  # per cent of what is heard is quieter than loud speech; a click does not count
    peak_outlier: float = 6.0  # dB above loud speech's peaks: a knock on the table, which may be clipped
    lowest_rate: int = 4_000  # Hz; files below it are no speech, and unpack to a thousand times their size
    quietest: float = -60.0  # dBov; a recording without anything louder is of a muted microphone
    margin: float = 0.06  # kept around speech when silence is cut off: soft consonants
    words_per_minute: int = 145  # slower than espeak-ng's 175; heard once, in a bad moment
    speaking_within: float = 10.0  # for one announcement; it takes 0.1 s, and a busy machine 2
    longest: float = 60.0  # of a recorded announcement; nobody listens that long before a key
    largest: int = 5 * 1024 * 1024  # bytes of an upload: a minute of 44.1 kHz mono WAV
    most_recordings: int = 64  # of one practice: eight announcements in eight languages, 1 MB at most each
    made_kept: int = 500  # files of spoken announcements: forty practices with a name of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeCarrierPolicy:
    """How the telephones of the built-in carrier behave when nobody holds them."""

    rings_after: float = 0.5  # from dialling; real networks take 2 to 6, nobody wants to wait in a demo
    refuses_after: float = 1.0  # what networks take to say busy, blocked or not in service
    answers_after: float = 2.0  # of ringing
    declines_after: float = 2.0  # of ringing
    voicemail_after: float = 12.0  # of ringing; sooner than the caller gives up
    voicemail_greets_for: float = 4.0  # then it records in silence
    voicemail_beeps_for: float = 0.5  # after the greeting; as answering machines do
    voicemail_records_for: float = 120.0  # what voicemail allows before it hangs up itself
    listens_for: float = 3.0  # to the announcement, before a key is pressed
    talks_for: float = 15.0  # before a call is lost on purpose
    speaks_for: float = 1.0  # a scripted person, in one breath
    pauses_for: float = 0.5  # between breaths, so that playing on and playing again sound different
    frames_waiting: int = 10  # of 20 ms each way; a page that stalls hears what is fresh, not all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchboardPolicy:
    """How many calls a node places, and how fast."""

    lines_per_node: int = 60  # calls at once; 15 ms of one core per second each
    calls_per_second: float = 1.0  # to one carrier: what programmable-voice providers allow unasked
    farewell_longest: float = 8.0  # in any language; a recording that goes on longer is cut
    farewell_settles: float = 0.3  # between the last word and the hang-up: networks buffer that much
    abandon_within: float = 5.0  # for the calls of a former process; people wait behind this
    close_within: float = 3.0  # for telephones to stop ringing; supervisors give ten seconds, then kill


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How often the server calls at all, whoever asks: against fraud, and faults of ours."""

    per_number_daily: float = 20.0  # three visits a day, each with every call it may place
    per_practice_daily: float = 2_000.0  # a hospital's clinics on the day its network fails
    remembered: int = 20_000  # numbers and practices; the idlest go
    keys_per_second: float = 5.0  # of one telephone; people press three, a machine fills our queues
    keys_burst: float = 20.0  # a number dialled by mistake, from its memory


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityPolicy:
    """How sound is judged. Scores are ratings of ITU-T G.107, from 0 to 93.2."""

    window: float = 1.0  # fifty packets: fewer say little about loss, more come late
    falls: float = 0.39  # of the way per second, downwards: trouble shows within two seconds
    rises: float = 0.095  # of the way per second, upwards: one good second proves nothing
    floor: float = 30.0  # lower scores take too long to climb back, and mean the same
    weak: float = 60.0  # G.109: below, "many users dissatisfied"; the picture should give way
    weak_for: float = 3.0  # a burst of loss is shorter
    weak_mean: int = 5  # windows whose mean is below as well: single bad ones are chance
    unusable: float = 50.0  # G.107 Annex B: nearly all dissatisfied; 15 % loss with Opus' own repair
    unusable_for: float = 3.0  # the call waits longer anyway, so this only has to outlast a burst
    unusable_mean: int = 8  # windows; losses that come in bursts are high for five, now and then
    usable_for: float = 5.0  # at ``weak`` or better each second: unusable no more
    fine: float = 75.0  # well above ``weak``, so that what was called fine does not fall back at once
    fine_for: float = 5.0  # one roam away from trouble, a connection tends to go back into it
    settled: float = 65.0  # a score that never gets better, but is kept: the picture may try again
    settled_for: float = 30.0  # long, since a picture that tries in vain costs sound
    silent_after: float = 2.0  # a hundred packets; lost bursts and Wi-Fi scans are shorter
    returned: float = 0.6  # thirty packets after silence: a roam of six seconds is over before seven
    returned_share: float = 0.8  # of the packets due, in that first window after silence
    flaps: int = 3  # returns within ``flap_window``: it will go again, and nobody can talk like that
    flap_window: float = 30.0  # whoever walks through a house loses the connection once or twice
    stray_share: float = 0.5  # of the packets due: less is an echo of a connection, not its return
    patience: float = 0.2  # a packet this late is still under way; most jitter buffers wait for it
    buffer_least: float = 0.06  # seconds; browsers hold two or three packets on a still network
    buffer_jitters: float = 4.0  # how many mean deviations browsers' buffers grow to hold
    buffer_most: float = 0.4  # seconds; beyond, receivers rather lose a packet than wait
    processing: float = 0.04  # capture, coding and playing in the two browsers, at best
    loss_robustness: float = 20.0  # Bpl of Opus with in-band FEC: a fit, G.113 lists no Opus
    reports_stale: float = 10.0  # browsers report on sound every 2.5 to 7.5 s
    unreported: int = 500  # packets; ten seconds of them without a word back: nothing arrives
    told_stale: float = 3.0  # what a page said of its own hearing, once a second while it can
    deaf_after: float = 0.5  # the plane's own clock stood still this long: nobody else is to blame


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpairmentPolicy:
    """How networks are broken on purpose, to show what happens. Each way; loss is a share."""

    light_loss: float = 0.03  # a busy café
    light_delay: float = 0.06
    light_jitter: float = 0.02
    heavy_loss: float = 0.35  # a car park; no repair of speech bridges that
    heavy_delay: float = 0.1
    heavy_jitter: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgePolicy:
    """How the doors of the server behave."""

    token_life: float = 10 * 60  # a stolen token is soon worthless; the page renews over its socket
    token_longest: float = 15 * 60  # refused beyond this, whatever a faulty minting wrote
    token_leeway: float = 30.0  # clocks of two nodes may disagree by this much, not more
    token_bytes: int = 4_096  # ten times a token of ours; bounds the work before the signature
    token_keys_kept: int = 3  # the active key and two older: a rotation may be repeated at once
    reply_kept: float = 24 * 60 * 60  # the practice's system retries within a day or asks a person
    store_busy: float = 0.5  # others' transactions last milliseconds; all visits wait behind this
    log_page: int = 1_000  # entries of the log read at once; bounds the memory of one request
    log_value: int = 1_000  # characters of one value in a log line; a flood must not fill the disk
    max_frame: int = 64 * 1024  # one message or polling body; the largest SDP we take, and room
    max_json_depth: int = 16  # our deepest payload is 4; recursion is what deep JSON attacks
    connect_within: float = 5.0  # from open line to accepted token; a slow phone needs two
    headers_within: float = 10.0  # for a request's first line and headers, on a new or an idle line
    body_within: float = 10.0  # for a request's body; 64 KiB over 2G take six
    ping_every: int = 5  # whole seconds: Engine.IO announces a fraction as 0
    ping_answer_within: int = 10  # with ping_every: a dead browser is noticed within 15 s
    goodbye_within: float = 0.5  # for a refused browser to answer the close, then the line is cut
    offence_lines: int = (
        20  # log lines of one kind at once, then one per second: floods stay readable
    )
    event_rate: float = 20.0  # frames of one socket, sustained; people's clicks are below 2
    event_burst: int = 60  # frames; a page that joins a full visit sends about 20 at once
    outbound_bytes: int = 900_000  # waiting for one browser; with the system's buffers below 1 MB
    outbound_messages: int = 256  # waiting for one browser; more is minutes behind, not seconds
    connects_per_minute: float = 30.0  # new sockets per address; more for a clinic behind one NAT
    open_per_address: int = 50  # sockets at once per address; more for a clinic behind one NAT
    bad_links_per_minute: float = 20.0  # per address; a person mistypes a few times, and real links
    # open all the same: others behind the same router must not be locked out by a guesser
    refusals_per_minute: float = (
        6.0  # written down of one seat; more say nothing more, and fill disks
    )
    refusals_burst: float = 60.0  # every signal there is, tried twice
    sessions_per_minute: float = 60.0  # per address; a ward reloading after a power cut
    limiter_keys: int = 20_000  # addresses one limiter remembers: about 3 MB; the idlest go
    ipv6_block: int = 64  # bits: one household or phone owns all addresses of a /64 (RFC 6177)
    hsts_life: int = 2 * 365 * 24 * 60 * 60  # two years; browsers learn it anew at each visit
    asset_life: int = 365 * 24 * 60 * 60  # names of /assets/ files change with their content
    turn_life: float = 60 * 60  # a leaked TURN password relays for an hour at most
    save_tries: int = 5  # a lost race is computed again; more than this is not a race
    deadline_retry: float = 1.0  # while the store is away, ask again this often: calls wait behind it
    presence_retry: float = 1.0  # a drop that could not be stored is stored soon after
    desk_gather: float = 0.01  # seconds: what one event changes comes in several steps
    desk_refresh: float = 0.25  # a desk reads faster than this only in films
    desk_rows: int = 300  # visits on one desk: 300 KB, of which the outbound queue takes 900
    desk_window: float = 18 * 60 * 60  # a desk sees the day around now, night shifts included
    events_page: int = 500  # entries of one page of GET /v1/events
    credential_slack: float = 31 * 24 * 60 * 60  # visits are moved by weeks; the visit's end rules
    credentials_kept: int = 40  # in one browser, 86 bytes each: with 8 KB a request is refused
    bad_links_burst: float = 20.0  # a family around one router, each mistyping once or twice
    request_body: int = 64 * 1024  # the largest request, a visit with all its seats, takes 20 KiB
    upload_within: float = 60.0  # for a recording of 5 MB over a clinic's 0.7 Mbit/s
    wishes_per_minute: float = 60.0  # of one browser; each may be a line of the log, for years
    wishes_burst: float = 120.0  # somebody who tries every button
    goodbyes_per_minute: float = 30.0  # of one page; it says goodbye once, however often it is reloaded
    stop_within: float = 3.0  # for answers under way; supervisors give ten seconds, then kill
    demo_visit: float = 4 * 60 * 60  # long enough to try everything before lunch
    demo_certificate_days: int = 7  # a week of trying; browsers distrust it anyway
    demo_phone_ping: float = 4.0  # a page that is gone is a telephone without power: noticed in 6 s
    demo_phone_waiting: int = 64  # messages for a page that stopped reading; a call takes about ten

    def shared_by(self, people: int) -> EdgePolicy:
        """The policy for as many people behind one address; never stricter than without."""
        more = max(1.0, people / self.open_per_address)
        return replace(
            self,
            open_per_address=max(people, self.open_per_address),
            connects_per_minute=self.connects_per_minute * more,
            sessions_per_minute=self.sessions_per_minute * more,
        )
