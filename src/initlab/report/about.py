"""What stands at the head of the two experiments of a sweep: that of its runs, that of its summary."""

from initlab.errors import TrackingError
from initlab.tracking import Tracker
from initlab.tracking.views import describe


def describe_experiments(sweep: str, runs: Tracker, summaries: Tracker, summary: str) -> str | None:
    """Describes the experiments of a sweep's runs and of its summary run, whose id is ``summary``; returns
    what went wrong, if anything. What a user has written there stays.
    """
    last = f"The last one is [{sweep}]({_local(summaries.page_address(summary))})."
    sums = _local(summaries.address()).replace("CHART", "TABLE")
    of_runs = (
        "Each run is one training: its cost at every iteration, gradient norms, decision boundary, diagnosis."
        "\n\nThe newest sweeps have charts of their own: choose them at the top right. Find runs by "
        "`params.init = 'he'`, `params.dataset = 'circles'`, `tags.sweep = '...'`, "
        "`tags.diagnosis LIKE '%dead units%'` or `metrics.final_cost < 0.1`.\n\n"
        f"[What each sweep came to]({sums}): verdict, table, pictures and report. {last}"
    )
    of_summaries = (
        "Each run sums up one sweep: its description holds the verdict and the table, its artifacts the "
        f"report and the pictures.\n\n{last} [The runs that were swept]({_local(runs.address())})"
    )
    try:
        describe(runs.client, runs.experiment_id, of_runs)
        describe(summaries.client, summaries.experiment_id, of_summaries)
    except TrackingError as error:
        return f"MLflow's experiments are not described: {error}"
    return None


def _local(address: str) -> str:
    """Returns an address as seen from MLflow's own pages, at whatever port they are shown."""
    return address[address.index("#") :]
