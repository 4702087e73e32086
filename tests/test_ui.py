"""A real MLflow server: the runs and the pictures over HTTP, and runs tracked through it."""

import json
import re
import urllib.parse
import urllib.request

import pytest
from conftest import mlflow_server, run_command


@pytest.fixture(scope="module")
def server(headline):
    with mlflow_server(headline[0]) as address:
        yield address


def get(address: str, where: str, **query: str) -> bytes:
    with urllib.request.urlopen(f"{address}/{where}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
        return answer.read()


def search(address: str, **body) -> list[dict]:
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/runs/search",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer).get("runs", [])


def test_the_server_shows_the_runs_by_their_tags(server):
    [run] = search(server, experiment_ids=["1"], filter="tags.init = 'he'")
    assert run["info"]["run_name"] == "he-seed3"
    assert run["info"]["status"] == "FINISHED"


def test_the_server_serves_the_pictures(server):
    [run] = search(server, experiment_ids=["1"], filter="tags.init = 'he'")
    for name in ("boundary.png", "cost.png"):
        picture = get(server, "get-artifact", run_uuid=run["info"]["run_id"], path=name)
        assert picture.startswith(b"\x89PNG")


def test_the_server_serves_the_image_grid(server):
    [run] = search(server, experiment_ids=["1"], filter="tags.init = 'he'")
    run_id = run["info"]["run_id"]
    listed = json.loads(get(server, "api/2.0/mlflow/artifacts/list", run_id=run_id, path="images"))
    small = [file["path"] for file in listed["files"] if file["path"].endswith("+compressed.webp")]
    assert len(small) == 5
    assert get(server, "get-artifact", run_uuid=run_id, path=small[0])[8:12] == b"WEBP"


def test_the_server_serves_the_cost_at_every_iteration(server):
    [run] = search(server, experiment_ids=["1"], filter="tags.init = 'zeros'")
    query = {"run_id": run["info"]["run_id"], "metric_key": "cost", "max_results": "25000"}
    metrics = json.loads(get(server, "api/2.0/mlflow/metrics/get-history", **query))["metrics"]
    assert len(metrics) == 15000


def test_runs_can_be_tracked_through_a_server(server, tmp_path):
    done = run_command(
        "tracking.experiment=far", "train.iterations=1103", f"tracking.uri={server}", folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    [experiment] = re.findall(rf"{server}/#/experiments/(\d+)/runs", done.stdout)
    [run] = search(server, experiment_ids=[experiment])
    assert run["info"]["status"] == "FINISHED"
    query = {"run_id": run["info"]["run_id"], "metric_key": "cost", "max_results": "25000"}
    metrics = json.loads(get(server, "api/2.0/mlflow/metrics/get-history", **query))["metrics"]
    assert len(metrics) == 1103  # more than one call of MLflow's may carry
    picture = get(server, "get-artifact", run_uuid=run["info"]["run_id"], path="boundary.png")
    assert picture.startswith(b"\x89PNG")
    assert not (tmp_path / "mlruns").exists()
