from server.redis_keys import RedisKeys

KEYS = RedisKeys("bedside")


def _every_name():
    fixed = (KEYS.unfinished, KEYS.due, KEYS.nodes, KEYS.beats, KEYS.practices)
    of_one = (
        KEYS.visit, KEYS.visits, KEYS.running, KEYS.owned, KEYS.link, KEYS.desk, KEYS.practice,
        KEYS.api_key, KEYS.api_key_id, KEYS.log, KEYS.log_head, KEYS.calls,
    )  # fmt: skip
    of_two = (KEYS.links, KEYS.reply)
    return [
        *fixed,
        KEYS.changed,
        KEYS.probe,
        *(name("x") for name in of_one),
        *(name("x", "y") for name in of_two),
    ]


def test_no_two_things_have_one_name():
    names = _every_name()
    assert len(set(names)) == len(names)


def test_every_name_stands_below_the_prefix():
    assert all(name.startswith("bedside:") for name in _every_name())
