"""Maps made elsewhere, scored without a server: each model of a run that `maps_from` names is read from files.

    config.py     what a run file says of such a source
    catalogue.py  opens a source by its configuration: start here
    study.py      the layout of the study's outputs: sentences.csv and attn/<dicom_sent_id>.npy
    saved.py      our own: cases.parquet with maps.npz or maps/, as `harness run` writes them
    savedtable.py the table beside saved maps
    tables.py     CSV files of other programs
    keys.py       how a map finds its sentence: by image and text
    regions.py    one weight for each detected box becomes a map
    arrays.py     files of numpy, read without trust
    checks.py     what every map must be, and its opt-out mass

A source answers what a server would be asked (`harness.collect.routes.MapSource`), so that metrics, statistics and
report do not know the difference. What it lacks is null or a counted failure, never made up.
"""
