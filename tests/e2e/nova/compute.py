# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenStack Nova's own libvirt driver in this process, without the rest of a cloud.

What is Nova's: every class below nova.virt.libvirt, so every call to libvirt. What stands in for a cloud: no message bus,
no database (instances are kept in a list), no image service (an image is an empty disk), privileged helpers in process.
"""
import nova.monkey_patch  # noqa: F401  before anything that blocks

import datetime
import pathlib
import re
from unittest import mock

from nova import conf, config, context, exception, objects
import nova.privsep
from nova.network import model as network
from nova.objects import fields
from nova.objects import instance as instance_object
from nova.virt import event, fake
from nova.virt.libvirt import driver, imagebackend
from nova.virt.libvirt import utils as libvirt_utils
from oslo_utils import timeutils

CONF = conf.CONF
IMAGE = 'aaaaaaaa-0000-4000-8000-000000000001'
DISK_BYTES = 4 << 20


def sample_configuration(document, heading):
    """The first block in ``` after `heading` in a Markdown document."""
    text = pathlib.Path(document).read_text()
    return re.search(re.escape(heading) + r'.*?```\n(.*?)```', text, re.DOTALL).group(1)


def configure(folder, sample, uri):
    """Reads the sample nova.conf; only what a private daemon and an unprivileged place need is set over it."""
    path = folder / 'nova.conf'
    path.write_text(sample)
    CONF.reset()
    config.parse_args(['nova-compute'], default_config_files=[str(path)], configure_db=False, init_rpc=False)
    conf.neutron.register_dynamic_opts(CONF)
    conf.devices.register_dynamic_opts(CONF)
    for name, value, group in [('connection_uri', uri, 'libvirt'), ('state_path', str(folder), None),
                               ('instances_path', str(folder / 'instances'), None), ('my_ip', '127.0.0.1', None),
                               ('host', 'compute', None), ('lock_path', str(folder / 'locks'), 'oslo_concurrency'),
                               ('use_cow_images', False, None)]:
        CONF.set_override(name, value, group=group)
    for name in ('instances', 'locks'):
        (folder / name).mkdir(exist_ok=True)


def empty_image(context, target, image_id, trusted_certs=None):
    with open(target, 'wb') as disk:
        disk.truncate(DISK_BYTES)


def no_service(context, host):
    raise exception.ComputeHostNotFound(host=host)


class Compute:
    """One LibvirtDriver, the instances it knows, and the events that it emitted."""

    def __init__(self):
        objects.register_all()
        nova.privsep.sys_admin_pctxt.set_client_mode(False)
        self.instances, self.events, self.patches = [], [], []
        for target, name, value in [
                (instance_object.Instance, 'save', lambda *a, **k: None),
                (objects.InstanceList, 'get_by_host', classmethod(lambda *a, **k: list(self.instances))),
                (objects.InstanceList, 'get_by_filters', classmethod(lambda *a, **k: list(self.instances))),
                (objects.InstanceList, 'get_uuids_by_host', classmethod(lambda *a, **k: [x.uuid for x in self.instances])),
                (objects.Service, 'get_by_compute_host', no_service),
                (objects.BlockDeviceMappingList, 'get_by_instance_uuid', classmethod(lambda *a, **k: [])),
                (objects.VirtualInterfaceList, 'get_by_instance_uuid', classmethod(lambda *a, **k: [])),
                (objects.BlockDeviceMappingList, 'bdms_by_instance_uuid', classmethod(lambda *a, **k: {})),
                (libvirt_utils, 'fetch_image', empty_image), (libvirt_utils, 'fetch_raw_image', empty_image),
                (imagebackend.images, 'fetch_to_raw', lambda c, href, path, **k: empty_image(c, path, href))]:
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.patches.append(patch)
        self.context = context.RequestContext('operator', 'project', is_admin=True)
        self.driver = driver.LibvirtDriver(fake.FakeVirtAPI(), read_only=False)
        self.driver.register_event_listener(self.events.append)

    def close(self):
        for patch in self.patches:
            patch.stop()

    @property
    def host(self):
        return self.driver._host

    def lifecycle(self, instance):
        """Names of the lifecycle events of an instance, in their order."""
        return [each.get_name() for each in self.events
                if isinstance(each, event.LifecycleEvent) and each.get_instance_uuid() == instance.uuid]

    def new_instance(self, number, memory_mb=512, vcpus=1, **properties):
        flavor = objects.Flavor(
            context=self.context, id=1, name='td.small', memory_mb=memory_mb, vcpus=vcpus, root_gb=0, ephemeral_gb=0,
            flavorid='1', swap=0, rxtx_factor=1.0, vcpu_weight=0, disabled=False, is_public=True, extra_specs={}, projects=[])
        uuid = f'3b1c1c5e-6f3f-4d9b-9d5a-{number:012x}'
        instance = instance_object.Instance(
            context=self.context, id=number, uuid=uuid, user_id='operator', project_id='project', image_ref=IMAGE, kernel_id='',
            ramdisk_id='', hostname=f'td-{number}', display_name=f'td-{number}', display_description='', host='compute',
            node='compute', vcpus=vcpus, memory_mb=memory_mb, root_gb=0, ephemeral_gb=0, ephemeral_key_uuid=None,
            architecture=fields.Architecture.X86_64, vm_mode=fields.VMMode.HVM, os_type='linux', config_drive='', key_name=None,
            key_data=None, user_data=None, availability_zone=None, root_device_name='/dev/vda', launched_at=timeutils.utcnow(True),
            created_at=datetime.datetime.now(datetime.timezone.utc), auto_disk_config=False, power_state=None, vm_state='building',
            task_state='spawning', metadata={}, flavor=flavor, old_flavor=None, new_flavor=None, numa_topology=None,
            system_metadata={'image_base_image_ref': IMAGE, 'image_disk_format': 'raw', 'image_container_format': 'bare',
                             'image_min_disk': '0', 'image_min_ram': '0',
                             **{f'image_{name}': value for name, value in properties.items()}},
            info_cache=objects.InstanceInfoCache(network_info=self.network()), vcpu_model=None, trusted_certs=None, pci_devices=objects.PciDeviceList(objects=[]),
            pci_requests=objects.InstancePCIRequests(instance_uuid=uuid, requests=[]), device_metadata=None,
            tags=objects.TagList(objects=[]), keypairs=objects.KeyPairList(objects=[]), resources=None,
            migration_context=None, default_ephemeral_device=None, default_swap_device=None)
        self.instances.append(instance)
        return instance

    def network(self, *interfaces):
        return network.NetworkInfo(list(interfaces))

    @staticmethod
    def interface(device, address):
        """A port on a tap device, which Nova makes itself, as Calico's are."""
        return network.VIF(id='7f0e8c6a-5b1d-4c58-9a53-0d6f1c2b3a4e', address=address, type=network.VIF_TYPE_TAP, devname=device,
                           network=network.Network(id='0c9b8a7f-6e5d-4c3b-a291-8f7e6d5c4b3a', label='blue', subnets=[], mtu=1500),
                           details={}, vnic_type='normal', active=False)

    def spawn(self, instance, *interfaces):
        self.driver.spawn(self.context, instance, instance.image_meta, [], None, {}, self.network(*interfaces), power_on=True)

    def state(self, instance):
        return self.driver.get_info(instance).state

