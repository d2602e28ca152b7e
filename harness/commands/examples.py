"""What `harness COMMAND --help` shows below the options."""

from harness.dataset.catalogue import FORMATS
from harness.dataset.export.catalogue import EXPORTERS

EXAMPLES = {
    "run": """\
examples:
  harness run harness/runs/demo.yaml
  harness run harness/runs/demo.yaml --set dataset.patients=20 --set models='[encoder]' --out results/small
  harness run harness/runs/demo.yaml --limit 10      a quick look: the first ten images
  harness run harness/runs/demo.yaml --set strata='[side, box_size]'    by side, by box size (docs/subsets.md)
  harness run harness/runs/nightly.yaml --resume     go on where a killed run stopped
  harness run harness/runs/nightly.yaml --shard 0/4  the first of four shards: merge them afterwards""",
    "merge": """\
examples:
  harness merge results/nightly/shards results/nightly
  harness merge from/one/machine/0-of-2 from/another/1-of-2 results/nightly""",
    "report": """\
examples:
  harness report results/demo        write results/demo/report.html again
  harness report results/demo --tables paper/tables
                                     every table as Markdown and as LaTeX (booktabs)
  harness report results/study --page docs/phantom-results.md
                                     answers, tables and lineage as one Markdown page""",
    "compare": """\
examples:
  harness compare results/yesterday results/today
  harness compare results/yesterday results/today --gate gate.yaml --junit gate.xml

the gate judges B, and its changes since A; `harness gate --help` shows a gate file""",
    "seeds": """\
examples:
  harness seeds results/seeds        NAME, NAME-seed-1, … of one run, trained by one recipe
  harness seeds results/seeds results/retrained --page docs/seeds.md""",
    "gate": """\
examples:
  harness gate results/today --gate harness/gates/nightly.yaml
  harness gate results/today --gate gate.yaml --junit gate.xml

a gate file names numbers of summary.json and bounds, which are held against 95 % intervals:
  require: not_refuted                 # or shown: the whole interval must lie within the bounds
  against: results/pinned              # the run that changes are measured from
  conditions:
    - {value: failures, at_most: 0}
    - {value: models.encoder.none.abnormal.exact.auroc, at_least: 0.7}
    - {value: deltas.encoder.swap_left_right.one_lung.exact.auroc, at_most: -0.02, require: shown}
    - {change: laterality.encoder.lri, at_least: -0.01}

exit status 1 when a condition is broken or cannot be decided (docs/operations.md)""",
    "validate": "\n".join(
        [
            "a data set is named as in a run file: KIND:VALUE, or KIND:VALUE,key=value,... with more of its settings;",
            "or give the run file itself",
            "",
            "examples:",
            *(f"  harness validate {form.example}\n      {form.meaning}" for form in FORMATS.values()),
            "  harness validate my/data.jsonl\n      the same as jsonl:my/data.jsonl",
            "  harness validate harness/runs/demo.yaml\n      what that run would evaluate",
        ]
    ),
    "export": "\n".join(
        [
            "layouts:",
            *(f"  {layout:<20} {exporter.meaning}" for layout, exporter in EXPORTERS.items()),
            "",
            "examples:",
            "  harness export jsonl my/phantoms --patients 20",
            "  harness validate jsonl:my/phantoms/data.jsonl",
        ]
    ),
}
