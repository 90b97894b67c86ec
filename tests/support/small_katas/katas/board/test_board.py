"""Checks of the board: enough for every cheat over HTTP to be carried out, and quick."""

import pytest

from drill_katas import kit

WITHIN = 5.0  # seconds; a flood has to reach the bound on its size first


@pytest.mark.stage("symptom")
def test_the_board_is_alive(sut):
    """The board says that it is alive."""
    network, _ = serve(sut)
    ask(network, "/health")


@pytest.mark.stage("cause")
def test_statements_do_not_grow_with_users(sut):
    """Statements do not grow with the users shown."""
    network, database = serve(sut)
    recorded = {}
    for users in (1, 5):
        with database.recorded() as statements:
            answer = ask(network, "/users?" + "&".join(f"user={each}" for each in range(1, users + 1)))
        assert answer.json() == [f"user {each}" for each in range(1, users + 1)]
        recorded[users] = statements
    assert len(recorded[1]) == len(recorded[5]), (
        "the number of statements should not grow with the users: "
        f"{kit.plural(len(recorded[5]), 'statement')} for 5, the first of which is {recorded[5][0].sql}"
    )


def serve(sut):
    network, database = kit.network("prices", "board"), kit.database()

    async def prices(_hop):
        return 200, {}

    network.play("prices", prices)
    sut.serve("make_app", network.node("board"), engine=database)
    return network, database


def ask(network, path):
    answer = network.ask("board", "GET", path, within=WITHIN)
    assert answer.status is not None, f"GET {path} has no answer"
    assert answer.status == 200, f"GET {path} is answered {answer.status}"
    return answer
