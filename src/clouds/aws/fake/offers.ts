/** What EC2 offers and at which price: the simulator's price list in EC2's words. */
import type { CatalogRow } from '../../../cloudsim/catalog.ts';
import type { FormCall } from './call.ts';
import { native, passes } from './call.ts';
import { textsOf } from './form.ts';
import { regionsOf, subnetOf, vpcOf, zoneName, zonesOf } from './geography.ts';
import type { XmlValue } from './xml.ts';

type Data = { readonly [name: string]: XmlValue };

export function describeRegions({ cloud }: FormCall): Data {
  return {
    regionInfo: regionsOf(cloud).map((regionName) => ({
      regionName,
      regionEndpoint: `ec2.${regionName}.amazonaws.com`,
      optInStatus: 'opt-in-not-required',
    })),
  };
}

export function describeZones({ cloud, region }: FormCall): Data {
  return {
    availabilityZoneInfo: zonesOf(cloud, region).map(({ id, name }) => ({
      zoneName: name,
      zoneId: id,
      zoneState: 'available',
      regionName: region,
    })),
  };
}

export function describeVpcs({ form, region }: FormCall): Data {
  const vpc = { vpcId: vpcOf(region), isDefault: true, state: 'available', cidrBlock: '172.31.0.0/16' };
  return { vpcSet: passes(form, (name) => (name === 'is-default' ? ['true'] : [])) ? [vpc] : [] };
}

export function describeSubnets({ cloud, form, region }: FormCall): Data {
  const zones = passes(form, (name) => (name === 'vpc-id' ? [vpcOf(region)] : [])) ? zonesOf(cloud, region) : [];
  return {
    subnetSet: zones.map((zone) => ({
      subnetId: subnetOf(zone),
      vpcId: vpcOf(region),
      state: 'available',
      availabilityZone: zone.name,
      availabilityZoneId: zone.id,
      availableIpAddressCount: 4_091,
      defaultForAz: true,
      mapPublicIpOnLaunch: true,
    })),
  };
}

export function describeRouteTables({ region }: FormCall): Data {
  const internet = { destinationCidrBlock: '0.0.0.0/0', gatewayId: `igw-${region}`, state: 'active' };
  return {
    routeTableSet: [
      { routeTableId: `rtb-${region}`, vpcId: vpcOf(region), routeSet: [internet], associationSet: [{ main: true }] },
    ],
  };
}

/** Any well-formed id is an image of 8 GiB, but one of zeros only. */
export function describeImages({ form }: FormCall): Data {
  return {
    imagesSet: textsOf(form, 'ImageId').map((imageId) => {
      refuseImage(imageId);
      return {
        imageId,
        imageState: 'available',
        rootDeviceName: '/dev/sda1',
        blockDeviceMapping: [
          { deviceName: '/dev/sda1', ebs: { volumeSize: 8, snapshotId: `snap-${imageId.slice(4)}` } },
        ],
      };
    }),
  };
}

export function refuseImage(id: string): void {
  if (!/^ami-[0-9a-f]{8,17}$/.test(id)) throw native('InvalidAMIID.Malformed', `Invalid id: "${id}"`);
  if (/^ami-0+$/.test(id)) throw native('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
}

export function describeTypes({ cloud, form }: FormCall): Data {
  const asked = textsOf(form, 'InstanceType');
  const rows = new Map(cloud.options.catalog.map((row) => [row.InstanceType, row]));
  const unknown = asked.find((name) => !rows.has(name));
  if (unknown !== undefined)
    throw native('InvalidInstanceType', `The following supplied instance types do not exist: [${unknown}]`);
  return {
    instanceTypeSet: [...rows.values()]
      .filter((row) => asked.length === 0 || asked.includes(row.InstanceType))
      .map(wireType),
  };
}

export function describeOfferings({ cloud, form, region }: FormCall): Data {
  const rows = cloud.options.catalog
    .filter((row) => row.Region === region)
    .filter((row) => passes(form, (name) => (name === 'instance-type' ? [row.InstanceType] : [])));
  return {
    instanceTypeOfferingSet: rows.map((row) => ({
      instanceType: row.InstanceType,
      locationType: 'availability-zone-id',
      location: row.AvailabilityZone,
    })),
  };
}

export function describeSpotPrices({ cloud, region }: FormCall): Data {
  const rows = cloud.options.catalog.filter((row) => row.Region === region && Number.isFinite(row.SpotPrice));
  return {
    spotPriceHistorySet: rows.map((row) => ({
      instanceType: row.InstanceType,
      productDescription: 'Linux/UNIX',
      spotPrice: String(row.SpotPrice),
      timestamp: new Date(cloud.timeline.now()).toISOString(),
      availabilityZone: zoneName(cloud, region, row.AvailabilityZone),
    })),
  };
}

function wireType(row: CatalogRow): Data {
  const gpu = { name: row.AcceleratorName, manufacturer: 'NVIDIA', count: row.AcceleratorCount };
  return {
    instanceType: row.InstanceType,
    vCpuInfo: { defaultVCpus: row.vCPUs },
    memoryInfo: { sizeInMiB: row.MemoryGiB * 1_024 },
    gpuInfo: row.AcceleratorCount > 0 ? { gpus: [gpu] } : undefined,
  };
}
