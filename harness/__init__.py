"""The harness: streams annotated and perturbed sentences through a server and measures what its maps are worth.

Read the stages in order: dataset → perturbation → collect → metrics → statistics → report; `pipeline` joins them.
"""
