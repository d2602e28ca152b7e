"""What a study will show, decided before anything is drawn."""

from dataclasses import dataclass

from harness.case import Box, Triple
from harness.dataset.phantom.anatomy import Anatomy, Projection, sample_anatomy, visit
from harness.dataset.phantom.devices import Device, sample_devices
from harness.dataset.phantom.exposure import Exposure, sample_exposure
from harness.dataset.phantom.findings import Finding, sample_findings
from harness.dataset.phantom.markers import Marker, sample_markers
from harness.dataset.phantom.regions import region_boxes
from harness.dataset.phantom.streams import Stream, StudyKey, patient_rng
from harness.dataset.phantom.view import View, sample_projection, sample_view


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """Everything that the picture, the boxes and the report are made from.

    `anatomy` is the body before its findings; `boxes` are those of the body with them.
    """

    key: StudyKey
    anatomy: Anatomy
    findings: tuple[Finding, ...]
    projection: Projection
    view: View
    boxes: tuple[Box, ...]
    devices: tuple[Device, ...]
    markers: tuple[Marker, ...]
    exposure: Exposure

    @property
    def facts(self) -> frozenset[Triple]:
        """All (region, label, yes) that are true of the study; what is not here is not so."""
        devices = {Triple(region, device.kind, True) for device in self.devices for region in device.regions}
        return frozenset(devices).union(*(finding.facts for finding in self.findings))


def make_plan(key: StudyKey) -> StudyPlan:
    """Draw a study. Only the key matters."""
    patient = sample_anatomy(patient_rng(key.seed, key.split, key.patient, Stream.ANATOMY))
    projection = sample_projection(key.rng(Stream.PROJECTION))
    anatomy = visit(patient, projection, key.rng(Stream.ANATOMY))
    findings, changed = sample_findings(anatomy, key.rng(Stream.FINDINGS))
    view = sample_view(anatomy, key.rng(Stream.VIEW))
    return StudyPlan(
        key=key,
        anatomy=anatomy,
        findings=findings,
        projection=projection,
        view=view,
        boxes=region_boxes(changed, view),
        devices=sample_devices(anatomy, key.rng(Stream.DEVICES)),
        markers=sample_markers(view, projection, key.rng(Stream.MARKERS)),
        exposure=sample_exposure(key.rng(Stream.EXPOSURE)),
    )
