"""Keys that are made for processes which make none themselves."""

from typer.testing import CliRunner

from traffic_tacos.calls import keys
from traffic_tacos.cli import app


def test_keys_are_made_where_there_are_none_and_stay_where_there_are(tmp_path):
    folder = tmp_path / "cluster"
    made = []
    for _ in range(2):
        assert CliRunner().invoke(app, ["keys", "create", "--data", str(folder)]).exit_code == 0
        made.append(keys.read(folder).signing.private_bytes_raw())
    assert made[0] == made[1]
    assert {file.stat().st_mode & 0o777 for file in (folder / "keys").iterdir()} == {0o600}
