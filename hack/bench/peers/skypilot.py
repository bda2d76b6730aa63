"""SkyPilot's optimizer over dumped requests and the same catalogs. Run by hack/bench/peers/run.

Usage: skypilot.py prepare CATALOGS PREPARED            copies what both programs can read
       skypilot.py choose PREPARED REQUESTS RESULTS     places every request and times it
       skypilot.py pipelines GRAPHS COUNT RESULTS       places the first COUNT pipelines of a dump and times it

HOME must be a folder of its own: catalogs and the list of enabled clouds are written below it. No credential is read and no
cloud is asked: clouds are marked as enabled in SkyPilot's own state.
"""
import csv
import json
import os
import pathlib
import re
import resource
import sys
import time

CLOUDS = {'aws': 'AWS', 'azure': 'Azure', 'do': 'DO', 'gcp': 'GCP', 'lambda': 'Lambda', 'nebius': 'Nebius',
          'paperspace': 'Paperspace', 'runpod': 'RunPod'}
# Requests that are placed before any is timed: catalogs are loaded and caches filled.
WARM = 20
WITH_ZONES = ('aws', 'gcp', 'runpod')


def prepare(catalogs: str, prepared: str) -> None:
    pathlib.Path(prepared).mkdir(parents=True, exist_ok=True)
    for cloud in CLOUDS:
        source = pathlib.Path(catalogs) / f'{cloud}.csv'
        if not source.exists():
            continue
        with open(source, encoding='utf-8', newline='') as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        kept = [row for row in rows if is_readable(row, cloud)]
        with open(pathlib.Path(prepared) / f'{cloud}.csv', 'w', encoding='utf-8', newline='') as file:
            writer = csv.DictWriter(file, reader.fieldnames, lineterminator='\n')
            writer.writeheader()
            writer.writerows(kept)
        print(f'{cloud}: {len(kept)} of {len(rows)} rows', file=sys.stderr)


def is_readable(row, cloud: str) -> bool:
    """SkyPilot ends with an assertion where a size is unknown, or where the name of an Azure type has no number."""
    if row['AcceleratorName'].startswith('tpu-'):
        return True
    name = row['InstanceType']
    dashed = name.partition('_')[2].split('_Promo')[0]
    pattern = r'[A-Za-z]+[0-9]+-[0-9]+' if '-' in dashed else r'[A-Za-z]+[0-9]+'
    has_name = cloud != 'azure' or re.match(pattern, dashed) is not None
    return has_name and row['vCPUs'] != '' and row['MemoryGiB'] != ''


def choose_all(catalogs: str, requests: str, results: str) -> None:
    clouds = sorted(path.stem for path in pathlib.Path(catalogs).glob('*.csv') if path.stem in CLOUDS)
    from sky.skylet import constants
    folder = pathlib.Path.home() / '.sky' / 'catalogs' / constants.CATALOG_SCHEMA_VERSION
    names = {}
    for cloud in clouds:
        names[cloud] = write_catalog(pathlib.Path(catalogs) / f'{cloud}.csv', folder / cloud / 'vms.csv', cloud)
    write_accelerators(folder / 'common', names)
    loads = time_pandas(folder, clouds)

    import sky
    import yaml
    enable([CLOUDS[cloud] for cloud in clouds])
    with open(requests, encoding='utf-8') as file:
        tasks = list(yaml.safe_load_all(file))
    for task in tasks[:WARM]:
        choose(sky, task)
    choices = [choose(sky, task) for task in tasks]
    with open(results, 'w', encoding='utf-8') as file:
        json.dump({
            'versions': {'skypilot': sky.__version__, 'pandas': __import__('pandas').__version__,
                         'python': sys.version.split()[0]},
            'clouds': clouds,
            'choices': choices,
            'pandas': loads,
            'peakRssMiB': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }, file)


def write_catalog(source: pathlib.Path, target: pathlib.Path, cloud: str):
    """The same rows in the form that this cloud's reader expects; returns the accelerator names."""
    with open(source, encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    names = sorted({row['AcceleratorName'] for row in rows if row['AcceleratorName']})
    columns = [name for name in rows[0] if name != 'AvailabilityZone' or cloud in WITH_ZONES]
    extra = {'azure': {'Generation': 'V2'}}.get(cloud, {})
    for row in rows:
        row.update(extra)
        # A row for a whole region has no zone; SkyPilot wants a name there, and the price does not depend on it.
        if cloud in WITH_ZONES and not row['AvailabilityZone']:
            row['AvailabilityZone'] = row['Region'] + '-any'
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, 'w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, [*columns, *extra], extrasaction='ignore')
        writer.writeheader()
        writer.writerows(apart(rows) if cloud == 'gcp' else rows)
    return names


def apart(rows):
    """GCP's reader adds the price of a host to that of its accelerators: one row is split so that the sum stays what it was."""
    least = {}
    for row in rows:
        if row['InstanceType'] and row['AcceleratorName']:
            for market in ('Price', 'SpotPrice'):
                if row[market]:
                    key = (*accelerators_of(row), market)
                    least[key] = min(least.get(key, float('inf')), float(row[market]))
    done = set()
    for row in rows:
        key = accelerators_of(row)
        if not row['InstanceType'] or not row['AcceleratorName']:
            yield row
        elif row['AcceleratorName'].startswith('tpu-'):
            # Upstream has no host beside a TPU.
            yield {**row, 'InstanceType': ''}
        else:
            prices = {market: least.get((*key, market)) for market in ('Price', 'SpotPrice')}
            hosts = {market: '' if not row[market] else round(float(row[market]) - price, 6)
                     for market, price in prices.items()}
            yield {**row, 'AcceleratorName': '', 'AcceleratorCount': '', 'GpuInfo': '', **hosts}
            if key not in done:
                yield {**row, 'InstanceType': '', 'vCPUs': '', 'MemoryGiB': '', **prices}
                done.add(key)


def accelerators_of(row):
    return row['AcceleratorName'], row['AcceleratorCount'], row['Region'], row['AvailabilityZone']


def write_accelerators(folder: pathlib.Path, names) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    offered = {}
    for cloud, accelerators in names.items():
        for accelerator in accelerators:
            offered.setdefault(accelerator, []).append(CLOUDS[cloud])
    with open(folder / 'accelerators.csv', 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['AcceleratorName', 'Clouds'])
        writer.writerows([name, str(clouds)] for name, clouds in sorted(offered.items()))
    with open(folder / 'metadata.csv', 'w', encoding='utf-8') as file:
        file.write('GPU,MemoryGB,Manufacturer\n')


def time_pandas(folder: pathlib.Path, clouds):
    """Milliseconds of read_csv over all files, cold first, and how much the process grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    import pandas
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    frames = None
    for _ in range(6):
        start = time.perf_counter()
        frames = [pandas.read_csv(folder / cloud / 'vms.csv') for cloud in clouds]
        times.append((time.perf_counter() - start) * 1000)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        'coldMs': times[0],
        'warmMs': sorted(times[1:])[len(times[1:]) // 2],
        'rows': sum(len(frame) for frame in frames),
        'retainedBytes': int(sum(frame.memory_usage(deep=True).sum() for frame in frames)),
        'importRssMiB': (base - before) / 1024,
        'addedRssMiB': (after - base) / 1024,
    }


def enable(clouds) -> None:
    from sky import check
    from sky import global_user_state
    from sky import skypilot_config
    from sky.clouds import cloud as cloud_lib
    workspace = skypilot_config.get_active_workspace()
    global_user_state.set_allowed_clouds(check._get_workspace_allowed_clouds(workspace), workspace)
    for capability in cloud_lib.ALL_CAPABILITIES:
        global_user_state.set_enabled_clouds(clouds, capability, workspace)


def choose(sky, config):
    task = sky.Task.from_yaml_config(json.loads(json.dumps(config)))
    with sky.Dag() as dag:
        dag.add(task)
    start, cpu = time.perf_counter(), time.process_time()
    failed = None
    try:
        sky.optimizer.Optimizer.optimize(dag, minimize=sky.OptimizeTarget.COST, quiet=True)
    except Exception as error:  # pylint: disable=broad-except
        failed = type(error).__name__ + ': ' + (str(error).strip().splitlines() or [''])[0]
    spent = {'us': (time.perf_counter() - start) * 1e6, 'cpuUs': (time.process_time() - cpu) * 1e6}
    if failed is not None:
        return {**spent, 'error': failed}
    best = task.best_resources
    accelerators = best.accelerators or {}
    return {
        **spent,
        'infra': '/'.join(str(part) for part in (best.cloud, best.region, best.zone) if part is not None),
        'instanceType': best.instance_type,
        'accelerators': ','.join(f'{name}:{count}' for name, count in accelerators.items()) or None,
        'market': 'spot' if best.use_spot else 'on-demand',
        'hourlyPrice': best.get_cost(3600),
    }


# USD for each GiB up to a bound of GiB, marginal: SkyPilot's own figures charge a whole transfer at the price of its last step.
EGRESS = {
    'aws': ((1, 0), (10240, 0.09), (51200, 0.085), (153600, 0.07), (float('inf'), 0.05)),
    'azure': ((1, 0), (10240, 0.0875), (51200, 0.083), (153600, 0.07), (float('inf'), 0.05)),
    'gcp': ((1024, 0.12), (10240, 0.11), (float('inf'), 0.08)),
}


class Source:
    """A cloud as far as the solvers look at it."""

    def __init__(self, provider: str):
        self.provider = provider

    def is_same_cloud(self, other) -> bool:
        return self.provider == other.provider

    def get_egress_cost(self, num_gigabytes: float) -> float:
        cost, below = 0.0, 0
        for bound, price in EGRESS.get(self.provider, ()):
            cost += max(0, min(num_gigabytes, bound) - below) * price
            below = bound
        return round(cost, 6)


class Choice:
    """Machines as far as the solvers look at them."""

    def __init__(self, provider: str):
        self.cloud = Source(provider)


def pipelines(graphs: str, count: str, results: str) -> None:
    with open(graphs, encoding='utf-8') as file:
        problems = json.load(file)[:int(count)]
    with open(results, 'w', encoding='utf-8') as file:
        json.dump([{**solve(problem['stages']), 'ours': problem['total'] / 1e6} for problem in problems], file)


def solve(stages):
    """By the integer program, which SkyPilot takes for all graphs but chains."""
    import networkx
    import sky
    graph = networkx.DiGraph()
    tasks, costs = {}, {}
    for stage in stages:
        task = sky.Task(stage['name'])
        task.set_outputs('s3://bucket', stage['outputGiB'])
        tasks[stage['name']] = task
        graph.add_node(task)
        graph.add_edges_from((tasks[name], task) for name in stage['dependsOn'])
        hours = stage['runtimeSeconds'] / 3600
        costs[task] = {Choice(one['provider']): round(one['hourlyMicro'] * hours) / 1e6 for one in stage['candidates']}
    start = time.perf_counter()
    _, objective = sky.optimizer.Optimizer._optimize_by_ilp(graph, list(tasks.values()), costs)
    return {'ms': (time.perf_counter() - start) * 1000, 'stages': len(stages), 'theirs': objective}


if __name__ == '__main__':
    if 'SKY_PEERS_HOME' not in os.environ:
        sys.exit('run hack/bench/peers/run, which gives SkyPilot a home of its own')
    {'prepare': prepare, 'choose': choose_all, 'pipelines': pipelines}[sys.argv[1]](*sys.argv[2:])
