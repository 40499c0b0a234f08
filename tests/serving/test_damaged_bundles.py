"""500 damaged bundles, over HTTP and in the store: none loads, nothing crashes, and the scorer in use stays."""

import hashlib
import json
import random
import zlib

import pytest
from sqlalchemy import select, update

from models.champion import MANIFEST
from models.errors import ModelError
from models.packed_bundle import pack
from serving.scorers.deployments import load_scorer
from serving.store.tables import scorers
from tests.serving.bundles import blob_of, files_of, fingerprint_of, put
from tests.serving.conftest import opened, settings_in

DAMAGED = 500
REFUSED = {f"/docs/errors#{slug}" for slug in ("bundle-refused", "bundle-too-large")}
FIT = {"account_id": "A-1", "attributes": {"seniority": "vp", "employees": 500, "industry": "retail"}}


def flipped(content, rng):
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]


def one_bit(rng):
    return flipped(blob_of(), rng)


def cut_off(rng):
    blob = blob_of()
    return blob[: rng.randrange(len(blob))]


def with_more_behind(rng):
    return blob_of() + rng.randbytes(1 + rng.randrange(40))


def one_bit_of_a_file(rng):
    """The path is valid, the file is not: only its hash tells."""
    files = files_of()
    name = rng.choice(sorted(files))
    return pack_bytes({**files, name: flipped(files[name], rng)})


def a_file_cut_off(rng):
    files = files_of()
    name = rng.choice(sorted(files))
    return pack_bytes({**files, name: files[name][: rng.randrange(len(files[name]))]})


def swapped(rng):
    files = files_of()
    one, other = rng.sample(sorted(files), 2)
    return pack_bytes({**files, one: files[other], other: files[one]})


def of_another_bundle(rng):
    files, other = files_of("one", 1), files_of("two", 2)
    name = rng.choice(["trees.json", "model.json", "golden.json", MANIFEST])
    return pack_bytes({**files, name: other[name]})


def gone_or_too_many(rng):
    files = files_of()
    name = rng.choice(sorted(files))
    if rng.random() < 0.5:
        files["evil.pkl"] = b"cos\nsystem\n(S'true'\ntR."
    else:
        del files[name]
    return pack_bytes(files)


def trees_that_are_none(rng):
    """Every hash fits; the tree is cyclic, has no leaf, counts wrongly, or gives other points than in training."""
    trees = json.loads(files_of()["trees.json"])
    tree = rng.choice([one for one in trees["trees"] if len(one["feature"]) > 1])
    at = rng.randrange(len(tree["feature"]))
    leaf = rng.randrange(len(tree["leaf_value"]))
    damage = {
        "a circle": lambda: tree["left"].__setitem__(at, 0),
        "nowhere": lambda: tree["right"].__setitem__(at, 10**9),
        "a huge link": lambda: tree["left"].__setitem__(at, -(10**400)),
        "twice one way": lambda: tree["left"].__setitem__(at, tree["right"][at]),
        "no such feature": lambda: tree["feature"].__setitem__(at, trees["n_features"] + rng.randrange(9)),
        "a negative feature": lambda: tree["feature"].__setitem__(at, -1),
        "counts": lambda: tree["split_count"].__setitem__(at, tree["split_count"][at] + 1),
        "no rows": lambda: tree["leaf_count"].__setitem__(leaf, 0),
        "a huge leaf": lambda: tree["leaf_value"].__setitem__(leaf, 1e308),
        "text": lambda: tree["leaf_value"].__setitem__(leaf, "0.5"),
        "null": lambda: tree["threshold"].__setitem__(at, None),
        "a list too short": tree["feature"].pop,
        "a list too long": lambda: tree["leaf_value"].append(0.0),
        "no trees": trees["trees"].clear,
        "other names": lambda: trees.__setitem__("format", "leadscore-trees-9"),
        "more features": lambda: trees.__setitem__("n_features", trees["n_features"] + 1),
        "all leaves higher": lambda: [
            one.__setitem__("leaf_value", [value + 0.1 for value in one["leaf_value"]]) for one in trees["trees"]
        ],
        "nothing": trees.clear,
    }  # fmt: skip
    damage[rng.choice(sorted(damage))]()
    return forged("trees.json", json.dumps(trees))


def numbers_that_cannot_be(rng):
    text = files_of()["model.json"].decode()
    old, new = rng.choice([
        ('"base_odds":', '"base_odds":-'),
        ('"slope":0.9', '"slope":-0.9'),
        ('"slope":0.9', '"slope":1e308'),
        ('"slope":0.9', '"slope":1e999'),
        ('"slope":0.9', '"slope":NaN'),
        ('"slope":0.9', '"slope":null'),
        ('"slope":0.9', '"slope":' + "9" * 5000),
        ('"slope":0.9', '"slope":0.9,"slope":0.9'),
        ('"offset":-0.1', '"offset":1e300'),
        ('"is":"platt"', '"is":"isotonic"'),
        ('"is":"platt"', '"is":"__import__"'),
        ('"a":70', '"a":-70'),
        ('"a":70', '"a":true'),
        ('"threshold":60', '"threshold":Infinity'),
        ('"categories":{', '"categories":{"x":[],'),
        ('"bands"', '"bend"'),
    ])  # fmt: skip
    assert old in text
    return forged("model.json", text.replace(old, new, 1))


def a_catalog_that_is_none(rng):
    text = files_of()["catalog.json"].decode()
    old, new = rng.choice([
        ('"count"', '"fetch"'),
        ('"days":7.0', '"days":-7.0'),
        ('"days":7.0', '"days":1e999'),
        ('"days":7.0', '"days":"7"'),
        ('"over":"lead"', '"over":"galaxy"'),
        ('"name":"pricing_7d"', '"name":"pricing_last"'),
        ('"features":[', '"features":[null,'),
        ('"says":"', '"says":"\\ud800'),
        ('"says":"', '"says":"\\u0000'),
        ('"says":"opened', '"says":"closed'),
        ('"never_use":[', '"never_use":[7'),
        ('"industry"', '"company"'),
        ("{", "[" * 100_000),
    ])  # fmt: skip
    assert old in text
    return forged("catalog.json", text.replace(old, new, 1))


def other_golden_rows(rng):
    golden = json.loads(files_of()["golden.json"])
    row = rng.choice(golden)
    damage = {
        "none": golden.clear,
        "points": lambda: row["expected"].__setitem__("points", row["expected"]["points"] + 1e-6),
        "grade": lambda: row["expected"].__setitem__("grade", "E"),
        "words": lambda: row["expected"]["reasons"].update({"nobody": ["said this", 1.0]}),
        "a value too few": row["values"].pop,
        "a value of another kind": lambda: row["values"].__setitem__(0, "many"),
        "another field": lambda: row.__setitem__("lead", "L-1"),
        "no object": lambda: golden.append([]),
    }
    damage[rng.choice(sorted(damage))]()
    return forged("golden.json", json.dumps(golden))


def a_manifest_that_is_none(rng):
    manifest = json.loads(files_of()[MANIFEST])
    text = json.dumps(manifest)
    texts = [
        "",
        "null",
        "[]",
        "{" * 100_000,
        text.replace("leadscore-bundle-1", "leadscore-bundle-9"),
        text.replace('"name": "', '"name": "\\ud800'),
        text.replace('"name": "', '"name": "\\u0000'),
        text.replace('"name": "', '"name": "' + "x" * 300),
        text.replace('"facts": {', '"facts": {"loss": 1e999, '),
        text.replace('"facts": {', '"facts": {"loss": "\\udfff", '),
        text.replace('"facts": {', '"facts": {"deep": ' + "[" * 200 + "]" * 200 + ", "),
        text.replace('"facts": {', '"facts": {"rows": ' + "9" * 4000 + ", "),
        json.dumps({**manifest, "facts": []}),
        json.dumps({**manifest, "files": {}}),
        json.dumps({**manifest, "files": dict.fromkeys(manifest["files"], 7)}),
    ]
    return pack({**files_of(), MANIFEST: rng.choice(texts).encode()})


def no_bundle_at_all(rng):
    return rng.choice([
        b"",
        b"{}",
        b"[]",
        b'{"files": []}',
        b'{"files": {}}',
        b'{"files": {"manifest.json": 7}}',
        b'{"files": {}, "version": ""}',
        b'{"files": {}, "version": "1", "role": "champion"}',
        b"{" * 200_000,
        b"\x80\x04cposix\nsystem\n.",
        b"PK\x03\x04" + rng.randbytes(200),
        b"\x1f\x8b\x08" + rng.randbytes(200),
        rng.randbytes(1 + rng.randrange(5000)),
        zlib.compress(rng.randbytes(1 + rng.randrange(5000))),
        zlib.compress(b"[" * 300_000),
    ])  # fmt: skip


def swollen(_rng):
    """A few hundred kilobytes that would unpack to 256 MiB."""
    squeezing = zlib.compressobj(9)
    block = b" " * 2**20
    return (
        b"".join([squeezing.compress(b'{"files": {"manifest.json": "')] + [squeezing.compress(block)] * 256)
        + squeezing.flush()
    )


WAYS = [
    (one_bit, 40), (cut_off, 30), (with_more_behind, 10), (one_bit_of_a_file, 60), (a_file_cut_off, 40), (swapped, 30),
    (of_another_bundle, 20), (gone_or_too_many, 20), (trees_that_are_none, 90), (numbers_that_cannot_be, 50),
    (a_catalog_that_is_none, 40), (other_golden_rows, 30), (a_manifest_that_is_none, 24), (no_bundle_at_all, 14),
    (swollen, 2),
]  # fmt: skip


def pack_bytes(files):
    """Pack files that were changed; the fingerprint is that of the original bundle."""
    texts = {name: content.decode("utf-8", "replace") for name, content in files.items()}
    content = {"files": texts, "version": None, "fingerprint": fingerprint_of()}
    return zlib.compress(json.dumps(content).encode())


def forged(name, text):
    """Change a file and make the manifest agree, as a careful attacker would."""
    files = {**files_of(), name: text.encode()}
    manifest = json.loads(files[MANIFEST])
    manifest["files"][name] = hashlib.sha256(files[name]).hexdigest()
    return pack({**files, MANIFEST: json.dumps(manifest).encode()})


def damaged():
    """Return the damaged bundles with the kind of damage; always the same ones."""
    rng = random.Random(11)  # noqa: S311 - an example, no secret
    return [(way.__name__, way(rng)) for way, times in WAYS for _ in range(times)]


@pytest.fixture(scope="module")
def all_damaged():
    found = damaged()
    assert len(found) == DAMAGED
    assert blob_of() not in [blob for _, blob in found]
    return found


@pytest.fixture(params=["rules", "model"])
def answering(request, tmp_path):
    """A service whose scorer is the rules, and one whose scorer is a model."""
    found = opened(settings_in(tmp_path, model_check_s=3600.0, requests_per_s=0))
    with found.client:
        if request.param == "model":
            assert put(found, blob_of("before", 3, version="1")).status_code == 200
        found.lead(**FIT)
        yield found


def said(store):
    """Return the content of a score without its instant."""
    score = store.score(reasons="all")
    return {name: value for name, value in score.items() if name not in {"as_of", "points", "base_points", "reasons"}}


def test_of_500_damaged_bundles_none_is_taken_and_the_service_answers_as_before(answering, all_damaged):
    """A model in use meets all of them, the rules each tenth: what is in use has no say in what is refused."""
    tried = all_damaged if said(answering)["scorer"]["kind"] == "model" else all_damaged[::10]
    before, rows = said(answering), (answering.rows("deployments"), len(answering.rows("scorers")))
    live = answering.service.active_scorer.current
    for at, (way, blob) in enumerate(tried):
        answer = put(answering, blob, role="shadow" if at % 7 == 0 else "champion")
        assert answer.status_code == 422, (at, way, answer.text)
        assert answer.json()["type"] in REFUSED, (at, way)
        assert answering.service.active_scorer.current is live, (at, way)
        if at % 25 == 0:
            assert said(answering) == before, (at, way)
    assert said(answering) == before
    assert (answering.rows("deployments"), len(answering.rows("scorers"))) == rows
    assert put(answering, blob_of()).status_code == 200, "and a good one is still taken"


@pytest.mark.parametrize("answering", ["model"], indirect=True)
def test_of_500_damaged_bundles_in_the_store_none_loads(answering, all_damaged):
    put(answering, blob_of(version="2"))
    database, named = answering.service.database, scorers.c.fingerprint == fingerprint_of()
    loaded = []
    for at, (way, blob) in enumerate(all_damaged):
        with database.writing() as connection:
            connection.execute(update(scorers).where(named).values(content=blob))
        with database.reading() as connection:
            try:
                load_scorer(connection, fingerprint_of())
            except ModelError:
                continue
            loaded.append((at, way))
    assert loaded == []
    assert answering.score()["scorer"]["version"] == "2", "what is in memory goes on answering"


@pytest.mark.parametrize("nth", range(0, DAMAGED, 31))
def test_a_service_that_starts_on_a_damaged_bundle_answers_with_the_last_good_one(tmp_path, all_damaged, nth):
    first = opened(settings_in(tmp_path, model_check_s=3600.0))
    with first.client:
        put(first, blob_of("before", 3, version="1"))
        put(first, blob_of(version="2"))
        with first.service.database.writing() as connection:
            named = scorers.c.fingerprint == fingerprint_of()
            connection.execute(update(scorers).where(named).values(content=all_damaged[nth][1]))
            assert connection.execute(select(scorers.c.version).where(named)).scalar() == "2"
    again = opened(first.settings)
    with again.client:
        again.lead(**FIT)
        score = again.score()
        assert (score["scorer"]["version"], score["degraded"]) == ("1", True)
        assert "cannot be used" in again.client.get("/v1/model").json()["problem"]
