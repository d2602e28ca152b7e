"""``wronglung align``: one image, some sentences, a table and a picture."""

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from wronglung.alignment import Alignment
from wronglung.commands.connection import add_connection, connect, fail
from wronglung.errors import WronglungError

_FEW, _LARGE, _SMALL = 4, 768, 384
_EXAMPLES = """\
examples:
  wronglung align chest.png "Opacity in the right lower lobe."
  wronglung align chest.dcm "Left effusion." "The heart is enlarged." --model encoder-optout --overlay out.png
"""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "align",
        help="show where a served model looks for sentences",
        description="Send an image (JPEG, PNG or DICOM) with sentences to a server and show where the model looks.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument("sentences", nargs="+", metavar="SENTENCE")
    parser.add_argument("--model", default="encoder", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--model-version", default="", metavar="VERSION", help="default: the server's default version")
    parser.add_argument("--overlay", type=Path, metavar="PNG", help="draw the maps over the image into this file")
    parser.add_argument("--json", action="store_true", help="print everything, maps included, as JSON")
    add_connection(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Align, print, draw; returns the exit status: 1 too when a sentence has no map."""
    try:
        data = args.image.read_bytes()
        with connect(args) as client:
            alignment = client.align(data, args.sentences, model=args.model, version=args.model_version)
        print(json.dumps(as_json(alignment, args.sentences)) if args.json else as_table(alignment, args.sentences))
        if args.overlay is not None:
            _draw(data, alignment, args.sentences, args.overlay)
    except (WronglungError, OSError, ValueError) as error:
        return fail("align", error)
    return 1 if any(alignment.errors) else 0


def _draw(data: bytes, alignment: Alignment, sentences: list[str], path: Path) -> None:
    from wronglung import images, overlay

    panels = overlay.panels(alignment, sentences)
    longer_side = _LARGE if len(panels) <= _FEW else _SMALL
    overlay.draw(images.decode(data), alignment.frame, panels, longer_side=longer_side).save(path, "PNG")


def as_table(alignment: Alignment, sentences: list[str]) -> str:
    """A line per sentence under a line that names the model."""
    model = alignment.model
    head = f"{model.name} {model.version} ({model.weights_digest[:12]})"
    rows = ["opt-out   local  global  peak at x, y            sentence"]
    for index, sentence in enumerate(sentences):
        text = textwrap.shorten(sentence, 60, placeholder=" …") or "(empty)"
        if (error := alignment.errors[index]) is not None:
            rows.append(f"      -       -       -  -                       {text}: {error.message}")
            continue
        x, y = peak(alignment, index)
        place = in_words(x / alignment.frame.image_width, y / alignment.frame.image_height)
        cut = "  [cut at the model's limit]" if alignment.truncated[index] else ""
        rows.append(
            f" {alignment.opt_out[index]:.4f}  {alignment.local_similarity[index]:+6.2f}  "
            f"{alignment.global_similarity[index]:+6.2f}  {f'{x:.0f}, {y:.0f} {place}':<22}  {text}{cut}"
        )
    return "\n".join([head, *rows])


def peak(alignment: Alignment, index: int) -> tuple[float, float]:
    """The middle of the strongest cell, in original pixels; on the image's border where the cell is padding."""
    frame, (rows, cols) = alignment.frame, alignment.maps[index].shape
    row, col = divmod(int(np.argmax(alignment.maps[index])), cols)
    x0, y0, x1, y1 = frame.cell(row, col, rows, cols)
    return (
        float(np.clip((x0 + x1) / 2, 0, frame.image_width)),
        float(np.clip((y0 + y1) / 2, 0, frame.image_height)),
    )


def in_words(x: float, y: float) -> str:
    """The ninth of the image that a point lies in (shares of its size): sides are the picture's, not the patient's."""
    down, across = (min(int(3 * share), 2) for share in (y, x))
    words = [("upper", "middle", "lower")[down], ("left", "centre", "right")[across]]
    return "centre" if (down, across) == (1, 1) else " ".join(words)


def as_json(alignment: Alignment, sentences: list[str]) -> dict[str, Any]:
    """Everything in plain types; maps are lists of rows."""
    return {
        "model": {
            "name": alignment.model.name,
            "version": alignment.model.version,
            "weights_digest": alignment.model.weights_digest,
        },
        "covered": alignment.frame.covered,
        "sentences": [_sentence_json(alignment, index, text) for index, text in enumerate(sentences)],
    }


def _sentence_json(alignment: Alignment, index: int, sentence: str) -> dict[str, Any]:
    if (error := alignment.errors[index]) is not None:
        return {"sentence": sentence, "error": {"code": error.code, "message": error.message}}
    x, y = peak(alignment, index)
    return {
        "sentence": sentence,
        "peak": {"x": x, "y": y},
        "words": list(alignment.words[index]),
        "opt_out_mass": float(alignment.opt_out[index]),
        "local_similarity": float(alignment.local_similarity[index]),
        "global_similarity": float(alignment.global_similarity[index]),
        "truncated": bool(alignment.truncated[index]),
        "map": alignment.maps[index].tolist(),
    }
