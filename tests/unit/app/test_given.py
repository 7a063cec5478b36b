"""Settings as people give them: options, the environment, a file."""

import pytest

from traffic_tacos.app.config import Config
from traffic_tacos.app.given import SETTINGS, check_environment, config_of, read_file
from traffic_tacos.kernel.addresses import Address
from traffic_tacos.kernel.errors import Refusal


def test_every_field_has_a_setting_and_a_default_that_reads_as_itself():
    assert [setting.field for setting in SETTINGS.values()] == list(Config.__struct_fields__)
    said = {name: [one.default_text] for name, one in SETTINGS.items() if one.default_text}
    assert len(said) >= 10
    assert config_of(said) == Config()


def test_a_file_says_what_options_say(tmp_path):
    file = tmp_path / "sale.toml"
    file.write_text(
        """
        http = "0.0.0.0:8081"
        time-scale = 2.5
        connections-max = 40
        cors-origin = ["https://a.example", "https://b.example"]
        elsewhere = "waiting_room,admin=10.0.0.7:50051"
        dynamodb = "tacos-"
        """
    )
    config = config_of(read_file(file))
    assert config == Config(
        http=Address("0.0.0.0", 8081),
        time_scale=2.5,
        connections_max=40,
        cors_origins=("https://a.example", "https://b.example"),
        elsewhere={"waiting_room": (Address("10.0.0.7", 50051),), "admin": (Address("10.0.0.7", 50051),)},
        dynamodb="tacos-",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("htpp = '127.0.0.1:1'", "htpp is no setting; did you mean http?"),
        ("time_scale = 2", "time_scale is no setting; did you mean time-scale?"),
        ("[http]\nport = 1", "http: must be a text or a number"),
        ("http = ['127.0.0.1:1']", "http: must be a text or a number"),
        ("cors-origin = [['a']]", "cors-origin: must be a list of texts"),
        ("connections-max = true", "connections-max: must be a text or a number"),
        ("connections-max = 1.5", "connections-max: must be a whole number"),
        ("time-scale = 'fast'", "time-scale: must be a number"),
        ("http = 8080", "http: must be HOST:PORT"),
        ("http: 127.0.0.1:1", "config: must be a TOML file"),
    ],
)
def test_what_a_file_says_wrongly_is_refused_by_name(tmp_path, text, said):
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(Refusal) as refused:
        config_of(read_file(file))
    assert said in refused.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Refusal, match="config: must be a file that can be read"):
        read_file(tmp_path / "none.toml")


def test_a_variable_that_is_no_setting_is_refused_with_the_nearest_that_is():
    check_environment(["TACOS_HTTP", "TACOS_AS", "HOME"], ["TACOS_AS"])
    with pytest.raises(Refusal, match="TACOS_DYNAMO is no setting; did you mean TACOS_DYNAMODB"):
        check_environment(["TACOS_DYNAMO"], ["TACOS_AS"])


def test_a_secret_is_in_the_environment_alone_and_shown_nowhere(tmp_path):
    file = tmp_path / "tacos.toml"
    file.write_text('redis = "redis://:hunter2@127.0.0.1"\n')
    with pytest.raises(Refusal, match="TACOS_REDIS") as refused:
        read_file(file)
    assert "hunter2" not in repr(refused.value.details)
    config = config_of({"redis": ["redis://:hunter2@127.0.0.1:6379/0"], "dynamodb": ["tacos-"]})
    assert config.redis == "redis://:hunter2@127.0.0.1:6379/0"
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://:hunter2@127.0.0.1", "redis://", "redis://:hunter2@h:0/0"])
def test_an_address_of_redis_that_cannot_be_is_refused_and_not_repeated(url):
    with pytest.raises(Refusal, match="redis://") as refused:
        config_of({"redis": [url], "dynamodb": ["tacos-"]})
    assert "hunter2" not in str(refused.value) + repr(refused.value.details)


def test_redis_is_for_processes_that_share_a_store():
    with pytest.raises(Refusal, match="--dynamodb"):
        config_of({"redis": ["redis://127.0.0.1"]})
