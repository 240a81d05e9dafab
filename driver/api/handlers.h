// SPDX-License-Identifier: GPL-2.0-or-later
// One handler a procedure: decoded arguments in, domain service, result out. Grouped as the files are.
#pragma once

#include "api/session.h"
#include "rpc/pending_reply.h"

namespace virttdx::driver::api {

using Answer = WireResult<>;

// authentication.cc
Answer auth_list(Session&, remote_auth_list_ret&, Arena&);
Answer auth_polkit(Session&, Deferred<remote_auth_polkit_ret>);

// connection.cc
Answer connect_supports_feature(Session&, const remote_connect_supports_feature_args&,
                                remote_connect_supports_feature_ret&, Arena&);
Answer connect_open(Session&, const remote_connect_open_args&);
Answer connect_close(Session&);
Answer connect_register_close_callback(Session&);
Answer connect_unregister_close_callback(Session&);
Answer connect_get_uri(Session&, remote_connect_get_uri_ret&, Arena&);
Answer connect_get_type(Session&, remote_connect_get_type_ret&, Arena&);
Answer connect_get_version(Session&, remote_connect_get_version_ret&, Arena&);
Answer connect_get_lib_version(Session&, remote_connect_get_lib_version_ret&, Arena&);
Answer connect_get_hostname(Session&, Deferred<remote_connect_get_hostname_ret>);
Answer connect_is_secure(Session&, remote_connect_is_secure_ret&, Arena&);

// node.cc
Answer connect_get_capabilities(Session&, remote_connect_get_capabilities_ret&, Arena&);
Answer connect_get_domain_capabilities(Session&, const remote_connect_get_domain_capabilities_args&,
                                       remote_connect_get_domain_capabilities_ret&, Arena&);
Answer connect_get_max_vcpus(Session&, const remote_connect_get_max_vcpus_args&,
                             remote_connect_get_max_vcpus_ret&, Arena&);
Answer node_get_info(Session&, remote_node_get_info_ret&, Arena&);
Answer node_get_cpu_map(Session&, const remote_node_get_cpu_map_args&, remote_node_get_cpu_map_ret&, Arena&);
Answer node_get_security_model(Session&, remote_node_get_security_model_ret&, Arena&);

// cpu.cc
Answer connect_get_cpu_model_names(Session&, const remote_connect_get_cpu_model_names_args&,
                                   remote_connect_get_cpu_model_names_ret&, Arena&);
Answer connect_compare_cpu(Session&, const remote_connect_compare_cpu_args&, remote_connect_compare_cpu_ret&,
                           Arena&);
Answer connect_compare_hypervisor_cpu(Session&, const remote_connect_compare_hypervisor_cpu_args&,
                                      remote_connect_compare_hypervisor_cpu_ret&, Arena&);
Answer connect_baseline_cpu(Session&, const remote_connect_baseline_cpu_args&,
                            remote_connect_baseline_cpu_ret&, Arena&);
Answer connect_baseline_hypervisor_cpu(Session&, const remote_connect_baseline_hypervisor_cpu_args&,
                                       remote_connect_baseline_hypervisor_cpu_ret&, Arena&);

// lookup.cc
Answer domain_lookup_by_id(Session&, const remote_domain_lookup_by_id_args&, remote_domain_lookup_by_id_ret&,
                           Arena&);
Answer domain_lookup_by_name(Session&, const remote_domain_lookup_by_name_args&,
                             remote_domain_lookup_by_name_ret&, Arena&);
Answer domain_lookup_by_uuid(Session&, const remote_domain_lookup_by_uuid_args&,
                             remote_domain_lookup_by_uuid_ret&, Arena&);
Answer connect_list_all_domains(Session&, const remote_connect_list_all_domains_args&,
                                remote_connect_list_all_domains_ret&, Arena&);
Answer connect_num_of_domains(Session&, remote_connect_num_of_domains_ret&, Arena&);
Answer connect_num_of_defined_domains(Session&, remote_connect_num_of_defined_domains_ret&, Arena&);
Answer connect_list_domains(Session&, const remote_connect_list_domains_args&,
                            remote_connect_list_domains_ret&, Arena&);
Answer connect_list_defined_domains(Session&, const remote_connect_list_defined_domains_args&,
                                    remote_connect_list_defined_domains_ret&, Arena&);

// definition.cc
Answer domain_define_xml(Session&, const remote_domain_define_xml_args&,
                         Deferred<remote_domain_define_xml_ret>);
Answer domain_define_xml_flags(Session&, const remote_domain_define_xml_flags_args&,
                               Deferred<remote_domain_define_xml_flags_ret>);
Answer domain_undefine(Session&, const remote_domain_undefine_args&, Deferred<void>);
Answer domain_undefine_flags(Session&, const remote_domain_undefine_flags_args&, Deferred<void>);
Answer domain_get_autostart(Session&, const remote_domain_get_autostart_args&,
                            remote_domain_get_autostart_ret&, Arena&);
Answer domain_set_autostart(Session&, const remote_domain_set_autostart_args&);
Answer domain_get_autostart_once(Session&, const remote_domain_get_autostart_once_args&,
                                 remote_domain_get_autostart_once_ret&, Arena&);
Answer domain_set_autostart_once(Session&, const remote_domain_set_autostart_once_args&);
Answer domain_get_xml_desc(Session&, const remote_domain_get_xml_desc_args&, remote_domain_get_xml_desc_ret&,
                           Arena&);
Answer domain_has_managed_save_image(Session&, const remote_domain_has_managed_save_image_args&,
                                     remote_domain_has_managed_save_image_ret&, Arena&);

// lifecycle.cc
Answer domain_create(Session&, const remote_domain_create_args&, Deferred<void>);
Answer domain_create_with_flags(Session&, const remote_domain_create_with_flags_args&,
                                Deferred<remote_domain_create_with_flags_ret>);
Answer domain_create_xml(Session&, const remote_domain_create_xml_args&,
                         Deferred<remote_domain_create_xml_ret>);
Answer domain_destroy(Session&, const remote_domain_destroy_args&, Deferred<void>);
Answer domain_destroy_flags(Session&, const remote_domain_destroy_flags_args&, Deferred<void>);
Answer domain_shutdown(Session&, const remote_domain_shutdown_args&, Deferred<void>);
Answer domain_shutdown_flags(Session&, const remote_domain_shutdown_flags_args&, Deferred<void>);
Answer domain_reboot(Session&, const remote_domain_reboot_args&, Deferred<void>);
Answer domain_reset(Session&, const remote_domain_reset_args&, Deferred<void>);
Answer domain_suspend(Session&, const remote_domain_suspend_args&, Deferred<void>);
Answer domain_resume(Session&, const remote_domain_resume_args&, Deferred<void>);

// info.cc
Answer domain_get_info(Session&, const remote_domain_get_info_args&, remote_domain_get_info_ret&, Arena&);
Answer domain_get_state(Session&, const remote_domain_get_state_args&, remote_domain_get_state_ret&, Arena&);
Answer domain_is_active(Session&, const remote_domain_is_active_args&, remote_domain_is_active_ret&, Arena&);
Answer domain_is_persistent(Session&, const remote_domain_is_persistent_args&,
                            remote_domain_is_persistent_ret&, Arena&);
Answer domain_is_updated(Session&, const remote_domain_is_updated_args&, remote_domain_is_updated_ret&,
                         Arena&);
Answer domain_get_os_type(Session&, const remote_domain_get_os_type_args&, remote_domain_get_os_type_ret&,
                          Arena&);
Answer domain_get_max_memory(Session&, const remote_domain_get_max_memory_args&,
                             remote_domain_get_max_memory_ret&, Arena&);
Answer domain_get_security_label(Session&, const remote_domain_get_security_label_args&,
                                 remote_domain_get_security_label_ret&, Arena&);
Answer domain_get_messages(Session&, const remote_domain_get_messages_args&, remote_domain_get_messages_ret&,
                           Arena&);
Answer domain_get_security_label_list(Session&, const remote_domain_get_security_label_list_args&,
                                      remote_domain_get_security_label_list_ret&, Arena&);

// vcpu.cc
Answer domain_get_max_vcpus(Session&, const remote_domain_get_max_vcpus_args&,
                            remote_domain_get_max_vcpus_ret&, Arena&);
Answer domain_get_vcpus_flags(Session&, const remote_domain_get_vcpus_flags_args&,
                              Deferred<remote_domain_get_vcpus_flags_ret>);
Answer domain_get_vcpus(Session&, const remote_domain_get_vcpus_args&, remote_domain_get_vcpus_ret&, Arena&);

// stats.cc
Answer domain_memory_stats(Session&, const remote_domain_memory_stats_args&, remote_domain_memory_stats_ret&,
                           Arena&);
Answer connect_get_all_domain_stats(Session&, const remote_connect_get_all_domain_stats_args&,
                                    Deferred<remote_connect_get_all_domain_stats_ret>);

// launch_security.cc
Answer domain_get_launch_security_info(Session&, const remote_domain_get_launch_security_info_args&,
                                       Deferred<remote_domain_get_launch_security_info_ret>);

// console.cc
Answer domain_open_console(Session&, const remote_domain_open_console_args&, Deferred<void>);
// channel.cc
Answer domain_open_channel(Session&, const remote_domain_open_channel_args&, Deferred<void>);

// events.cc
Answer connect_domain_event_callback_register_any(
    Session&, const remote_connect_domain_event_callback_register_any_args&,
    remote_connect_domain_event_callback_register_any_ret&, Arena&);
Answer connect_domain_event_callback_deregister_any(
    Session&, const remote_connect_domain_event_callback_deregister_any_args&);
Answer connect_domain_event_register(Session&, remote_connect_domain_event_register_ret&, Arena&);
Answer connect_domain_event_deregister(Session&, remote_connect_domain_event_deregister_ret&, Arena&);
Answer connect_domain_event_register_any(Session&, const remote_connect_domain_event_register_any_args&);
Answer connect_domain_event_deregister_any(Session&, const remote_connect_domain_event_deregister_any_args&);

// identity.cc
Answer connect_set_identity(Session&, const remote_connect_set_identity_args&);

// metadata.cc
Answer domain_set_metadata(Session&, const remote_domain_set_metadata_args&);
Answer domain_get_metadata(Session&, const remote_domain_get_metadata_args&, remote_domain_get_metadata_ret&,
                           Arena&);
Answer domain_rename(Session&, const remote_domain_rename_args&, remote_domain_rename_ret&, Arena&);

// memory.cc
Answer domain_set_max_memory(Session&, const remote_domain_set_max_memory_args&);
Answer domain_set_memory(Session&, const remote_domain_set_memory_args&);
Answer domain_set_memory_flags(Session&, const remote_domain_set_memory_flags_args&);

// vcpu_change.cc
Answer domain_set_vcpus(Session&, const remote_domain_set_vcpus_args&, Deferred<void>);
Answer domain_set_vcpus_flags(Session&, const remote_domain_set_vcpus_flags_args&, Deferred<void>);

// pinning.cc
Answer domain_pin_vcpu(Session&, const remote_domain_pin_vcpu_args&);
Answer domain_pin_vcpu_flags(Session&, const remote_domain_pin_vcpu_flags_args&);
Answer domain_pin_emulator(Session&, const remote_domain_pin_emulator_args&);
Answer domain_get_emulator_pin_info(Session&, const remote_domain_get_emulator_pin_info_args&,
                                    remote_domain_get_emulator_pin_info_ret&, Arena&);
Answer domain_get_vcpu_pin_info(Session&, const remote_domain_get_vcpu_pin_info_args&,
                                remote_domain_get_vcpu_pin_info_ret&, Arena&);

// tuning.cc
Answer domain_get_scheduler_type(Session&, const remote_domain_get_scheduler_type_args&,
                                 remote_domain_get_scheduler_type_ret&, Arena&);
Answer domain_get_scheduler_parameters(Session&, const remote_domain_get_scheduler_parameters_args&,
                                       remote_domain_get_scheduler_parameters_ret&, Arena&);
Answer domain_get_scheduler_parameters_flags(Session&,
                                             const remote_domain_get_scheduler_parameters_flags_args&,
                                             remote_domain_get_scheduler_parameters_flags_ret&, Arena&);
Answer domain_set_scheduler_parameters(Session&, const remote_domain_set_scheduler_parameters_args&,
                                       Deferred<void>);
Answer domain_set_scheduler_parameters_flags(Session&,
                                             const remote_domain_set_scheduler_parameters_flags_args&,
                                             Deferred<void>);
Answer domain_get_memory_parameters(Session&, const remote_domain_get_memory_parameters_args&,
                                    remote_domain_get_memory_parameters_ret&, Arena&);
Answer domain_set_memory_parameters(Session&, const remote_domain_set_memory_parameters_args&,
                                    Deferred<void>);
Answer domain_get_blkio_parameters(Session&, const remote_domain_get_blkio_parameters_args&,
                                   remote_domain_get_blkio_parameters_ret&, Arena&);
Answer domain_set_blkio_parameters(Session&, const remote_domain_set_blkio_parameters_args&, Deferred<void>);
Answer domain_get_numa_parameters(Session&, const remote_domain_get_numa_parameters_args&,
                                  remote_domain_get_numa_parameters_ret&, Arena&);
Answer domain_set_numa_parameters(Session&, const remote_domain_set_numa_parameters_args&);

// device_change.cc
Answer domain_attach_device(Session&, const remote_domain_attach_device_args&, Deferred<void>);
Answer domain_attach_device_flags(Session&, const remote_domain_attach_device_flags_args&, Deferred<void>);
Answer domain_detach_device(Session&, const remote_domain_detach_device_args&, Deferred<void>);
Answer domain_detach_device_flags(Session&, const remote_domain_detach_device_flags_args&, Deferred<void>);
Answer domain_detach_device_alias(Session&, const remote_domain_detach_device_alias_args&, Deferred<void>);
Answer domain_update_device_flags(Session&, const remote_domain_update_device_flags_args&, Deferred<void>);

// block.cc
Answer domain_block_stats(Session&, const remote_domain_block_stats_args&,
                          Deferred<remote_domain_block_stats_ret>);
Answer domain_block_stats_flags(Session&, const remote_domain_block_stats_flags_args&,
                                Deferred<remote_domain_block_stats_flags_ret>);
Answer domain_get_block_info(Session&, const remote_domain_get_block_info_args&,
                             Deferred<remote_domain_get_block_info_ret>);
Answer domain_get_block_job_info(Session&, const remote_domain_get_block_job_info_args&,
                                 remote_domain_get_block_job_info_ret&, Arena&);
Answer domain_get_disk_errors(Session&, const remote_domain_get_disk_errors_args&,
                              Deferred<remote_domain_get_disk_errors_ret>);
Answer domain_block_resize(Session&, const remote_domain_block_resize_args&, Deferred<void>);

// block_peek.cc
Answer domain_block_peek(Session&, const remote_domain_block_peek_args&,
                         Deferred<remote_domain_block_peek_ret>);

// block_io_tune.cc
Answer domain_get_block_io_tune(Session&, const remote_domain_get_block_io_tune_args&,
                                remote_domain_get_block_io_tune_ret&, Arena&);
Answer domain_set_block_io_tune(Session&, const remote_domain_set_block_io_tune_args&, Deferred<void>);

// interface_parameters.cc
Answer domain_set_interface_parameters(Session&, const remote_domain_set_interface_parameters_args&,
                                       Deferred<void>);
Answer domain_get_interface_parameters(Session&, const remote_domain_get_interface_parameters_args&,
                                       remote_domain_get_interface_parameters_ret&, Arena&);

// interface.cc
Answer domain_interface_stats(Session&, const remote_domain_interface_stats_args&,
                              Deferred<remote_domain_interface_stats_ret>);
Answer domain_interface_addresses(Session&, const remote_domain_interface_addresses_args&,
                                  Deferred<remote_domain_interface_addresses_ret>);

// agent.cc
Answer domain_fsfreeze(Session&, const remote_domain_fsfreeze_args&, Deferred<remote_domain_fsfreeze_ret>);
Answer domain_fsthaw(Session&, const remote_domain_fsthaw_args&, Deferred<remote_domain_fsthaw_ret>);
Answer domain_fstrim(Session&, const remote_domain_fstrim_args&, Deferred<void>);
Answer domain_get_time(Session&, const remote_domain_get_time_args&, Deferred<remote_domain_get_time_ret>);
Answer domain_set_time(Session&, const remote_domain_set_time_args&, Deferred<void>);
Answer domain_get_hostname(Session&, const remote_domain_get_hostname_args&,
                           Deferred<remote_domain_get_hostname_ret>);
Answer domain_set_user_password(Session&, const remote_domain_set_user_password_args&, Deferred<void>);
Answer domain_authorized_ssh_keys_get(Session&, const remote_domain_authorized_ssh_keys_get_args&,
                                      Deferred<remote_domain_authorized_ssh_keys_get_ret>);
Answer domain_authorized_ssh_keys_set(Session&, const remote_domain_authorized_ssh_keys_set_args&,
                                      Deferred<void>);
Answer domain_agent_set_response_timeout(Session&, const remote_domain_agent_set_response_timeout_args&,
                                         remote_domain_agent_set_response_timeout_ret&, Arena&);

// guest_vcpus.cc
Answer domain_get_guest_vcpus(Session&, const remote_domain_get_guest_vcpus_args&,
                              Deferred<remote_domain_get_guest_vcpus_ret>);
Answer domain_set_guest_vcpus(Session&, const remote_domain_set_guest_vcpus_args&, Deferred<void>);

// guest_info.cc
Answer domain_get_guest_info(Session&, const remote_domain_get_guest_info_args&,
                             Deferred<remote_domain_get_guest_info_ret>);
Answer domain_get_fsinfo(Session&, const remote_domain_get_fsinfo_args&,
                         Deferred<remote_domain_get_fsinfo_ret>);

// device_stats.cc
Answer domain_get_iothread_info(Session&, const remote_domain_get_iothread_info_args&,
                                remote_domain_get_iothread_info_ret&, Arena&);
Answer domain_get_cpu_stats(Session&, const remote_domain_get_cpu_stats_args&,
                            remote_domain_get_cpu_stats_ret&, Arena&);
Answer domain_get_perf_events(Session&, const remote_domain_get_perf_events_args&,
                              remote_domain_get_perf_events_ret&, Arena&);

// jobs.cc
Answer domain_get_job_info(Session&, const remote_domain_get_job_info_args&, remote_domain_get_job_info_ret&,
                           Arena&);
Answer domain_get_job_stats(Session&, const remote_domain_get_job_stats_args&,
                            remote_domain_get_job_stats_ret&, Arena&);
Answer domain_get_control_info(Session&, const remote_domain_get_control_info_args&,
                               remote_domain_get_control_info_ret&, Arena&);
Answer domain_has_current_snapshot(Session&, const remote_domain_has_current_snapshot_args&,
                                   remote_domain_has_current_snapshot_ret&, Arena&);
Answer domain_snapshot_list_names(Session&, const remote_domain_snapshot_list_names_args&,
                                  remote_domain_snapshot_list_names_ret&, Arena&);
Answer domain_list_all_snapshots(Session&, const remote_domain_list_all_snapshots_args&,
                                 remote_domain_list_all_snapshots_ret&, Arena&);
Answer domain_list_all_checkpoints(Session&, const remote_domain_list_all_checkpoints_args&,
                                   remote_domain_list_all_checkpoints_ret&, Arena&);
Answer domain_snapshot_num(Session&, const remote_domain_snapshot_num_args&, remote_domain_snapshot_num_ret&,
                           Arena&);

// lifecycle_action.cc
Answer domain_set_lifecycle_action(Session&, const remote_domain_set_lifecycle_action_args&, Deferred<void>);

// node_stats.cc
Answer node_get_cpu_stats(Session&, const remote_node_get_cpu_stats_args&, remote_node_get_cpu_stats_ret&,
                          Arena&);
Answer node_get_memory_stats(Session&, const remote_node_get_memory_stats_args&,
                             remote_node_get_memory_stats_ret&, Arena&);
Answer node_get_free_memory(Session&, remote_node_get_free_memory_ret&, Arena&);
Answer node_get_cells_free_memory(Session&, const remote_node_get_cells_free_memory_args&,
                                  remote_node_get_cells_free_memory_ret&, Arena&);
Answer node_get_free_pages(Session&, const remote_node_get_free_pages_args&, remote_node_get_free_pages_ret&,
                           Arena&);
Answer node_get_memory_parameters(Session&, const remote_node_get_memory_parameters_args&,
                                  remote_node_get_memory_parameters_ret&, Arena&);
Answer connect_get_sysinfo(Session&, const remote_connect_get_sysinfo_args&, remote_connect_get_sysinfo_ret&,
                           Arena&);

}  // namespace virttdx::driver::api
