"""What each command of `harness` does: `running` makes results, `reading` looks at results and data sets, `judging`
says what became of a gate; `examples` are what `--help` shows."""
