// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/dispatch.h"

#include <array>

#include "api/handlers.h"

namespace virttdx::driver {
namespace {

struct ServedProcedure {
  int number;
  ServeFunction serve;
};

// Every procedure that is served here. refusals.cc has those that are refused with a reason; those of other
// classes of objects go to their daemons; the rest is answered as not supported by the driver.
constexpr auto kServed = std::to_array<ServedProcedure>({
    {REMOTE_PROC_AUTH_LIST, serve<&api::auth_list>},
    {REMOTE_PROC_CONNECT_SUPPORTS_FEATURE, serve<&api::connect_supports_feature>},
    {REMOTE_PROC_CONNECT_OPEN, serve<&api::connect_open>},
    {REMOTE_PROC_CONNECT_CLOSE, serve<&api::connect_close>},
    {REMOTE_PROC_CONNECT_REGISTER_CLOSE_CALLBACK, serve<&api::connect_register_close_callback>},
    {REMOTE_PROC_CONNECT_UNREGISTER_CLOSE_CALLBACK, serve<&api::connect_unregister_close_callback>},
    {REMOTE_PROC_CONNECT_GET_URI, serve<&api::connect_get_uri>},
    {REMOTE_PROC_CONNECT_GET_TYPE, serve<&api::connect_get_type>},
    {REMOTE_PROC_CONNECT_GET_VERSION, serve<&api::connect_get_version>},
    {REMOTE_PROC_CONNECT_GET_LIB_VERSION, serve<&api::connect_get_lib_version>},
    {REMOTE_PROC_CONNECT_GET_HOSTNAME, serve<&api::connect_get_hostname>},
    {REMOTE_PROC_CONNECT_IS_SECURE, serve<&api::connect_is_secure>},
    {REMOTE_PROC_CONNECT_GET_CAPABILITIES, serve<&api::connect_get_capabilities>},
    {REMOTE_PROC_CONNECT_GET_DOMAIN_CAPABILITIES, serve<&api::connect_get_domain_capabilities>},
    {REMOTE_PROC_CONNECT_GET_MAX_VCPUS, serve<&api::connect_get_max_vcpus>},
    {REMOTE_PROC_NODE_GET_INFO, serve<&api::node_get_info>},
    {REMOTE_PROC_NODE_GET_CPU_MAP, serve<&api::node_get_cpu_map>},
    {REMOTE_PROC_NODE_GET_SECURITY_MODEL, serve<&api::node_get_security_model>},
    {REMOTE_PROC_CONNECT_GET_CPU_MODEL_NAMES, serve<&api::connect_get_cpu_model_names>},
    {REMOTE_PROC_CONNECT_COMPARE_CPU, serve<&api::connect_compare_cpu>},
    {REMOTE_PROC_CONNECT_COMPARE_HYPERVISOR_CPU, serve<&api::connect_compare_hypervisor_cpu>},
    {REMOTE_PROC_CONNECT_BASELINE_CPU, serve<&api::connect_baseline_cpu>},
    {REMOTE_PROC_CONNECT_BASELINE_HYPERVISOR_CPU, serve<&api::connect_baseline_hypervisor_cpu>},
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_ID, serve<&api::domain_lookup_by_id>},
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME, serve<&api::domain_lookup_by_name>},
    {REMOTE_PROC_DOMAIN_LOOKUP_BY_UUID, serve<&api::domain_lookup_by_uuid>},
    {REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS, serve<&api::connect_list_all_domains>},
    {REMOTE_PROC_CONNECT_NUM_OF_DOMAINS, serve<&api::connect_num_of_domains>},
    {REMOTE_PROC_CONNECT_NUM_OF_DEFINED_DOMAINS, serve<&api::connect_num_of_defined_domains>},
    {REMOTE_PROC_CONNECT_LIST_DOMAINS, serve<&api::connect_list_domains>},
    {REMOTE_PROC_CONNECT_LIST_DEFINED_DOMAINS, serve<&api::connect_list_defined_domains>},
    {REMOTE_PROC_DOMAIN_DEFINE_XML, serve<&api::domain_define_xml>},
    {REMOTE_PROC_DOMAIN_DEFINE_XML_FLAGS, serve<&api::domain_define_xml_flags>},
    {REMOTE_PROC_DOMAIN_UNDEFINE, serve<&api::domain_undefine>},
    {REMOTE_PROC_DOMAIN_UNDEFINE_FLAGS, serve<&api::domain_undefine_flags>},
    {REMOTE_PROC_DOMAIN_GET_AUTOSTART, serve<&api::domain_get_autostart>},
    {REMOTE_PROC_DOMAIN_SET_AUTOSTART, serve<&api::domain_set_autostart>},
    {REMOTE_PROC_DOMAIN_GET_XML_DESC, serve<&api::domain_get_xml_desc>},
    {REMOTE_PROC_DOMAIN_HAS_MANAGED_SAVE_IMAGE, serve<&api::domain_has_managed_save_image>},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_NUM, serve<&api::domain_snapshot_num>},
    {REMOTE_PROC_DOMAIN_CREATE, serve<&api::domain_create>},
    {REMOTE_PROC_DOMAIN_CREATE_WITH_FLAGS, serve<&api::domain_create_with_flags>},
    {REMOTE_PROC_DOMAIN_CREATE_XML, serve<&api::domain_create_xml>},
    {REMOTE_PROC_DOMAIN_DESTROY, serve<&api::domain_destroy>},
    {REMOTE_PROC_DOMAIN_DESTROY_FLAGS, serve<&api::domain_destroy_flags>},
    {REMOTE_PROC_DOMAIN_SHUTDOWN, serve<&api::domain_shutdown>},
    {REMOTE_PROC_DOMAIN_SHUTDOWN_FLAGS, serve<&api::domain_shutdown_flags>},
    {REMOTE_PROC_DOMAIN_REBOOT, serve<&api::domain_reboot>},
    {REMOTE_PROC_DOMAIN_RESET, serve<&api::domain_reset>},
    {REMOTE_PROC_DOMAIN_SUSPEND, serve<&api::domain_suspend>},
    {REMOTE_PROC_DOMAIN_RESUME, serve<&api::domain_resume>},
    {REMOTE_PROC_DOMAIN_GET_INFO, serve<&api::domain_get_info>},
    {REMOTE_PROC_DOMAIN_GET_STATE, serve<&api::domain_get_state>},
    {REMOTE_PROC_DOMAIN_IS_ACTIVE, serve<&api::domain_is_active>},
    {REMOTE_PROC_DOMAIN_IS_PERSISTENT, serve<&api::domain_is_persistent>},
    {REMOTE_PROC_DOMAIN_IS_UPDATED, serve<&api::domain_is_updated>},
    {REMOTE_PROC_DOMAIN_GET_OS_TYPE, serve<&api::domain_get_os_type>},
    {REMOTE_PROC_DOMAIN_GET_MAX_MEMORY, serve<&api::domain_get_max_memory>},
    {REMOTE_PROC_DOMAIN_GET_SECURITY_LABEL, serve<&api::domain_get_security_label>},
    {REMOTE_PROC_DOMAIN_GET_MESSAGES, serve<&api::domain_get_messages>},
    {REMOTE_PROC_DOMAIN_GET_MAX_VCPUS, serve<&api::domain_get_max_vcpus>},
    {REMOTE_PROC_DOMAIN_GET_VCPUS_FLAGS, serve<&api::domain_get_vcpus_flags>},
    {REMOTE_PROC_DOMAIN_GET_VCPU_PIN_INFO, serve<&api::domain_get_vcpu_pin_info>},
    {REMOTE_PROC_DOMAIN_GET_VCPUS, serve<&api::domain_get_vcpus>},
    {REMOTE_PROC_DOMAIN_MEMORY_STATS, serve<&api::domain_memory_stats>},
    {REMOTE_PROC_CONNECT_GET_ALL_DOMAIN_STATS, serve<&api::connect_get_all_domain_stats>},
    {REMOTE_PROC_DOMAIN_GET_LAUNCH_SECURITY_INFO, serve<&api::domain_get_launch_security_info>},
    {REMOTE_PROC_DOMAIN_OPEN_CONSOLE, serve<&api::domain_open_console>},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY,
     serve<&api::connect_domain_event_callback_register_any>},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY,
     serve<&api::connect_domain_event_callback_deregister_any>},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER, serve<&api::connect_domain_event_register>},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER, serve<&api::connect_domain_event_deregister>},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_REGISTER_ANY, serve<&api::connect_domain_event_register_any>},
    {REMOTE_PROC_CONNECT_DOMAIN_EVENT_DEREGISTER_ANY, serve<&api::connect_domain_event_deregister_any>},
    {REMOTE_PROC_CONNECT_SET_IDENTITY, serve<&api::connect_set_identity>},
    {REMOTE_PROC_DOMAIN_SET_METADATA, serve<&api::domain_set_metadata>},
    {REMOTE_PROC_DOMAIN_GET_METADATA, serve<&api::domain_get_metadata>},
    {REMOTE_PROC_DOMAIN_RENAME, serve<&api::domain_rename>},
    {REMOTE_PROC_DOMAIN_SET_MAX_MEMORY, serve<&api::domain_set_max_memory>},
    {REMOTE_PROC_DOMAIN_SET_MEMORY, serve<&api::domain_set_memory>},
    {REMOTE_PROC_DOMAIN_SET_MEMORY_FLAGS, serve<&api::domain_set_memory_flags>},
    {REMOTE_PROC_DOMAIN_SET_VCPUS, serve<&api::domain_set_vcpus>},
    {REMOTE_PROC_DOMAIN_SET_VCPUS_FLAGS, serve<&api::domain_set_vcpus_flags>},
    {REMOTE_PROC_DOMAIN_PIN_VCPU, serve<&api::domain_pin_vcpu>},
    {REMOTE_PROC_DOMAIN_PIN_VCPU_FLAGS, serve<&api::domain_pin_vcpu_flags>},
    {REMOTE_PROC_DOMAIN_PIN_EMULATOR, serve<&api::domain_pin_emulator>},
    {REMOTE_PROC_DOMAIN_GET_EMULATOR_PIN_INFO, serve<&api::domain_get_emulator_pin_info>},
    {REMOTE_PROC_DOMAIN_GET_SCHEDULER_TYPE, serve<&api::domain_get_scheduler_type>},
    {REMOTE_PROC_DOMAIN_GET_SCHEDULER_PARAMETERS, serve<&api::domain_get_scheduler_parameters>},
    {REMOTE_PROC_DOMAIN_GET_SCHEDULER_PARAMETERS_FLAGS, serve<&api::domain_get_scheduler_parameters_flags>},
    {REMOTE_PROC_DOMAIN_SET_SCHEDULER_PARAMETERS, serve<&api::domain_set_scheduler_parameters>},
    {REMOTE_PROC_DOMAIN_SET_SCHEDULER_PARAMETERS_FLAGS, serve<&api::domain_set_scheduler_parameters_flags>},
    {REMOTE_PROC_DOMAIN_GET_MEMORY_PARAMETERS, serve<&api::domain_get_memory_parameters>},
    {REMOTE_PROC_DOMAIN_SET_MEMORY_PARAMETERS, serve<&api::domain_set_memory_parameters>},
    {REMOTE_PROC_DOMAIN_GET_BLKIO_PARAMETERS, serve<&api::domain_get_blkio_parameters>},
    {REMOTE_PROC_DOMAIN_SET_BLKIO_PARAMETERS, serve<&api::domain_set_blkio_parameters>},
    {REMOTE_PROC_DOMAIN_GET_NUMA_PARAMETERS, serve<&api::domain_get_numa_parameters>},
    {REMOTE_PROC_DOMAIN_SET_NUMA_PARAMETERS, serve<&api::domain_set_numa_parameters>},
    {REMOTE_PROC_DOMAIN_BLOCK_STATS, serve<&api::domain_block_stats>},
    {REMOTE_PROC_DOMAIN_BLOCK_STATS_FLAGS, serve<&api::domain_block_stats_flags>},
    {REMOTE_PROC_DOMAIN_GET_BLOCK_INFO, serve<&api::domain_get_block_info>},
    {REMOTE_PROC_DOMAIN_GET_BLOCK_JOB_INFO, serve<&api::domain_get_block_job_info>},
    {REMOTE_PROC_DOMAIN_GET_DISK_ERRORS, serve<&api::domain_get_disk_errors>},
    {REMOTE_PROC_DOMAIN_INTERFACE_STATS, serve<&api::domain_interface_stats>},
    {REMOTE_PROC_DOMAIN_INTERFACE_ADDRESSES, serve<&api::domain_interface_addresses>},
    {REMOTE_PROC_DOMAIN_GET_IOTHREAD_INFO, serve<&api::domain_get_iothread_info>},
    {REMOTE_PROC_DOMAIN_GET_CPU_STATS, serve<&api::domain_get_cpu_stats>},
    {REMOTE_PROC_DOMAIN_GET_PERF_EVENTS, serve<&api::domain_get_perf_events>},
    {REMOTE_PROC_DOMAIN_GET_JOB_INFO, serve<&api::domain_get_job_info>},
    {REMOTE_PROC_DOMAIN_GET_JOB_STATS, serve<&api::domain_get_job_stats>},
    {REMOTE_PROC_DOMAIN_GET_CONTROL_INFO, serve<&api::domain_get_control_info>},
    {REMOTE_PROC_DOMAIN_HAS_CURRENT_SNAPSHOT, serve<&api::domain_has_current_snapshot>},
    {REMOTE_PROC_DOMAIN_SNAPSHOT_LIST_NAMES, serve<&api::domain_snapshot_list_names>},
    {REMOTE_PROC_DOMAIN_LIST_ALL_SNAPSHOTS, serve<&api::domain_list_all_snapshots>},
    {REMOTE_PROC_DOMAIN_LIST_ALL_CHECKPOINTS, serve<&api::domain_list_all_checkpoints>},
    {REMOTE_PROC_DOMAIN_SET_LIFECYCLE_ACTION, serve<&api::domain_set_lifecycle_action>},
    {REMOTE_PROC_DOMAIN_GET_SECURITY_LABEL_LIST, serve<&api::domain_get_security_label_list>},
    {REMOTE_PROC_NODE_GET_CPU_STATS, serve<&api::node_get_cpu_stats>},
    {REMOTE_PROC_NODE_GET_MEMORY_STATS, serve<&api::node_get_memory_stats>},
    {REMOTE_PROC_NODE_GET_FREE_MEMORY, serve<&api::node_get_free_memory>},
    {REMOTE_PROC_NODE_GET_CELLS_FREE_MEMORY, serve<&api::node_get_cells_free_memory>},
    {REMOTE_PROC_NODE_GET_FREE_PAGES, serve<&api::node_get_free_pages>},
    {REMOTE_PROC_NODE_GET_MEMORY_PARAMETERS, serve<&api::node_get_memory_parameters>},
    {REMOTE_PROC_CONNECT_GET_SYSINFO, serve<&api::connect_get_sysinfo>},
});

}  // namespace

std::vector<int> served_procedures() {
  std::vector<int> numbers;
  for (const auto& row : kServed) numbers.push_back(row.number);
  return numbers;
}

ServeFunction find_serve_function(int procedure) {
  for (const auto& row : kServed)
    if (row.number == procedure) return row.serve;
  return nullptr;
}

}  // namespace virttdx::driver
