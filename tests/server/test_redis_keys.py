import inspect

from server.redis_keys import RedisKeys

KEYS = RedisKeys("bedside")


def _every_name():
    for name, thing in vars(RedisKeys).items():
        if isinstance(thing, property):
            yield getattr(KEYS, name)
        elif inspect.isfunction(thing) and not name.startswith("_"):
            words = list(inspect.signature(thing).parameters)[1:]
            yield getattr(KEYS, name)(*words)


def test_no_two_things_have_one_name():
    names = list(_every_name())
    assert len(names) > 15
    assert len(set(names)) == len(names)


def test_every_name_stands_below_the_prefix():
    assert all(name.startswith("bedside:") for name in _every_name())


def test_every_name_holds_all_that_it_is_of():
    assert KEYS.reply("north", "hash") == "bedside:reply:north:hash"
    assert KEYS.owned("") == "bedside:owned:"  # what scripts put an owner behind
