"""What the values of several seeds say: intervals, paired comparisons with a verdict, ranks over settings.

Of two values the higher is the better one, and −∞ stands for a run that diverged. Runs of one seed share
their draws and their data, so two starts are compared seed by seed. Nothing here knows of runs or of MLflow.
"""
