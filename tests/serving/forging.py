"""Bundles as a careful attacker makes them: files changed, and all that must agree with them made to agree."""

import hashlib
import json

from models import bundle as bundle_files
from models.champion import MANIFEST
from models.decision_tree import Tree
from models.golden_rows import GoldenRow, golden_json
from models.packed_bundle import pack
from models.trees import Trees
from tests.models.forests import complete
from tests.serving.bundles import files_of


def resealed(files, **changed):
    """Change files, named without their ending, and let the manifest name their hashes."""
    texts = {f"{name}.json": text.encode() for name, text in changed.items() if name != "facts"}
    files = {**files, **texts}
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in manifest["files"]}
    manifest["facts"] = changed.get("facts", manifest["facts"])
    return {**files, MANIFEST: json.dumps(manifest).encode()}


def with_own_golden_rows(files):
    """Give the golden rows the receipts that the changed model gives them, and seal the files again."""
    texts = {name: content.decode() for name, content in files.items()}
    model = bundle_files._model("leadscore-test", texts)
    rows = [GoldenRow("", 0, tuple(row["values"])) for row in json.loads(files["golden.json"])]
    return resealed(files, golden=json.dumps([golden_json(model, row) for row in rows]))


def negated(files=None):
    """Negate every leaf, so that the best leads become the worst; facts and gates stay those of the original."""
    files = files or files_of()
    document = json.loads(files["trees.json"])
    for tree in document["trees"]:
        tree["leaf_value"] = [-value for value in tree["leaf_value"]]
    return resealed(files, trees=json.dumps(document))


def of_trees(tree: Tree, times: int) -> str:
    """Return the JSON of one tree, many times over, beyond any limit."""
    document = json.loads(Trees(8, (tree,), tuple(json.loads(files_of()["trees.json"])["feature_names"])).to_json())
    return json.dumps(document | {"trees": []}).replace(
        '"trees": []', f'"trees": [{", ".join([json.dumps(document["trees"][0])] * times)}]'
    )


def huge_bundles():
    """Return small blobs that describe something huge, each by what it holds."""
    files = files_of()
    catalog, model, golden = (json.loads(files[f"{name}.json"]) for name in ("catalog", "model", "golden"))
    feature = catalog["features"][0]
    worded = {**catalog["features"][6], "words": [[f"w{number}", "said"] for number in range(20_000)]}
    tables = complete((0, 1, 2, 3, 4, 5, 0))
    changed = {
        "trees whose tables of reasons are huge": {"trees": of_trees(tables, 1_900)},
        "too many trees": {"trees": of_trees(complete((0,)), 5_000)},
        "a list of empty lists for trees": {"trees": '{"trees":[' + "[]," * 600_000 + "[]]}"},
        "too many features": {
            "catalog": json.dumps({**catalog, "features": [{**feature, "name": f"f{at}"} for at in range(3_000)]})
        },
        "too many words": {"catalog": json.dumps({**catalog, "features": [*catalog["features"][:6], worded]})},
        "a phrase that is a book": {"catalog": json.dumps({**catalog, "never_use": ["x" * 900_000]})},
        "too many categories": {
            "model": json.dumps({**model, "categories": {"industry": [f"c{number}" for number in range(20_000)]}})
        },
        "a category that is a book": {"model": json.dumps({**model, "categories": {"industry": ["x" * 900_000]}})},
        "too many golden rows": {"golden": json.dumps(golden * 200)},
        "facts of empty objects": {"facts": {"data": {f"k{at}": {} for at in range(30_000)}}},
    }
    blobs = {name: pack(resealed(files, **parts)) for name, parts in changed.items()}
    return blobs | {
        "a packed list of empty lists": _packed('{"files":[' + "[]," * 7_900_000 + "[]]}"),
        "a packed object of empty objects": _packed('{"files":{' + '"a":{},' * 3_400_000 + '"b":{}}}'),
        "a wide character in a long text": _packed('{"files":{"trees.json":"\U0001f600' + "x" * 25_000_000 + '"}}'),
        "a text with a wide character": _packed('{"files":{"trees.json":"\\ud83d\\ude00' + "x" * 24_000_000 + '"}}'),
        "a text without an end": _packed('{"files":{"trees.json":"' + "\\n" * 12_000_000),
    }  # fmt: skip


def _packed(text):
    import zlib

    return zlib.compress(text.encode(), 9)
