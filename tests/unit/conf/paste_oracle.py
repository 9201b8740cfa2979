"""Prints as JSON what Paste Deploy and ConfigParser make of conf files, the way Swift's run_wsgi asks them.

usage: /usr/bin/python3 paste_oracle.py [CONF...]     (no CONF: those of Debian's Swift packages)
"""

import json
import subprocess
import sys

from paste.deploy import loadwsgi
from swift.common import utils, wsgi

PACKAGES = ("python3-swift", "swift", "swift-proxy", "swift-account", "swift-container", "swift-object", "swift-doc")


def installed():
    found = set()
    for package in PACKAGES:
        listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
        found.update(line for line in listing.stdout.splitlines()
                     if line.endswith((".conf", ".conf-sample")) and "rsyslog" not in line)
    return sorted(found)


def stage(context):
    local = {name: value for name, value in context.local_conf.items() if name != "__name__"}
    return {"plugin": context.entry_point_name, "globals": dict(context.global_conf), "locals": local}


def flat(context):
    """Stages, the client's side first."""
    kind = context.object_type
    if kind is loadwsgi.PIPELINE:
        filters = [stage for each in context.filter_contexts for stage in flat(each)]
        return filters + flat(context.app_context)
    if kind in (loadwsgi.FILTER_WITH, loadwsgi.FILTER_APP):
        return flat(context.filter_context) + flat(context.next_context)
    return [stage(context)]


def paste(path):
    probe = wsgi.loadcontext(loadwsgi.APP, path)
    while probe.object_type is not loadwsgi.PIPELINE:
        probe = probe.next_context
    last = probe.app_context.name
    conf = wsgi.appconfig(path, name=last)
    log_name = conf.get("log_name", last)
    context = wsgi.loadcontext(loadwsgi.APP, path, global_conf={"log_name": log_name})
    server = {name: value for name, value in conf.items() if name != "__name__"}
    return {"stages": flat(context), "server": server}


def sections(path):
    conf = utils.readconf(path, raw=True)
    return {name: {key: value for key, value in options.items()}
            for name, options in conf.items() if isinstance(options, dict)}


def main():
    out = []
    for path in sys.argv[1:] or installed():
        entry = {"path": path}
        try:
            entry["sections"] = sections(path)
        except Exception as error:
            entry["refused"] = str(error)
        else:
            if any(name == "pipeline:main" for name in entry["sections"]):
                try:
                    entry.update(paste(path))
                except Exception as error:
                    entry["refused"] = str(error)
        out.append(entry)
    print(json.dumps(out))


main()
