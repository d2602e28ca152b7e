"""What the parts cost, as ratios printed side by side; `make bench` runs every module here that has a `main`."""
