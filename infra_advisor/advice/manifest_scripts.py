"""Shell scripts and a client: the bare command, the smoke test, and what a hosted API needs."""

import json
import shlex

from infra_advisor.advice.deployment import Deployment, heading, one_line, shell

_ASK = "Say hello in one word."


def serve_script(made: Deployment) -> str:
    """The command of one replica on a machine that has the engine."""
    server = made.server(host="127.0.0.1")
    lines = ["#!/usr/bin/env bash", heading(made).rstrip("\n"), "set -eu"]
    if server.asks_for_model:
        lines.append(': "${MODEL_PATH:?name the checkpoint: a repository, a path or a .gguf file}"')
    if made.reached is not None and made.reached.visible and made.per_machine > made.per_replica:
        lines.append(f"# several replicas on a machine: one server each, with {made.reached.visible} and --port of its own")
    lines += [f"export {name}={shlex.quote(value)}" for name, value in server.variables.items()]
    if server.then:
        lines += [f"{shell(server.words)} &", f"until {shell(server.then)}; do sleep 5; done", "wait"]
    else:
        lines.append(f"exec {shell(server.words)}")
    return "\n".join(lines) + "\n"


def smoke_script(made: Deployment) -> str:
    """Health, the list of models, and one request to the OpenAI-compatible API."""
    name = made.served_name or (None if made.server().asks_for_model else made.model)
    model = f"MODEL=${{MODEL:-{name}}}" if name else 'MODEL=${MODEL:-"${MODEL_PATH:?name the checkpoint}"}'
    lines = [
        "#!/usr/bin/env bash",
        heading(made).rstrip("\n"),
        "set -euo pipefail",
        f"BASE_URL=${{BASE_URL:-http://127.0.0.1:{made.port}}}",
        model,
        f'curl -fsS "$BASE_URL{made.health}" > /dev/null && echo healthy',
        'curl -fsS "$BASE_URL/v1/models"',
        *_request('"$BASE_URL/v1/chat/completions"'),
    ]
    return "\n".join(lines) + "\n"


def api_smoke_script(price_list_name: str) -> str:
    """The same for a hosted API, whose address and key are the user's."""
    lines = [
        "#!/usr/bin/env bash",
        f"# The price list calls the model {one_line(price_list_name)}; the provider's own name may leave out the first part.",
        "set -euo pipefail",
        ': "${BASE_URL:?the address of the API, such as https://.../v1: see the provider}"',
        ': "${MODEL:?the name of the model at the provider}"',
        ': "${API_KEY:?your key; it is read from the environment and written nowhere}"',
        *_request('"$BASE_URL/chat/completions"', "Authorization: Bearer $API_KEY"),
    ]
    return "\n".join(lines) + "\n"


def _request(url: str, header: str | None = None) -> list[str]:
    """One chat completion. The name of the model is the user's: it goes into JSON by way of its own quoting."""
    body = json.dumps({"messages": [{"role": "user", "content": _ASK}], "max_tokens": 16})[1:]
    escaped = 'NAME=${MODEL//\\\\/\\\\\\\\}; NAME=${NAME//\\"/\\\\\\"}'
    headers = "-H 'Content-Type: application/json'" + (f' -H "{header}"' if header else "")
    return [
        escaped,
        f"""curl -fsS {url} {headers} --data-binary "{{\\"model\\": \\"$NAME\\", "{shlex.quote(body)}""",
        "echo",
    ]


def api_client(price_list_name: str) -> str:
    """A Python client of the OpenAI-compatible API."""
    return f'''"""One request to an OpenAI-compatible API; needs `pip install openai`."""

# The price list calls the model {one_line(price_list_name)}; the provider's own name may leave out the first part.
import os

from openai import OpenAI

client = OpenAI(base_url=os.environ["BASE_URL"], api_key=os.environ["API_KEY"])
answer = client.chat.completions.create(
    model=os.environ["MODEL"],
    messages=[{{"role": "user", "content": "{_ASK}"}}],
    max_tokens=16,
)
print(answer.choices[0].message.content)
'''
