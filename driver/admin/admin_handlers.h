// SPDX-License-Identifier: GPL-2.0-or-later
// One handler a procedure of the administration protocol, grouped as the files are.
#pragma once

#include "admin/admin_session.h"
#include "rpc/xdr_codec.h"
#include "schemas/admin_protocol_traits.h"

namespace virttdx::driver::admin {

using Answer = WireResult<>;

// servers.cc
Answer connect_open(AdminSession&, const admin_connect_open_args&);
Answer connect_close(AdminSession&);
Answer connect_set_daemon_timeout(AdminSession&, const admin_connect_set_daemon_timeout_args&);
Answer connect_get_lib_version(AdminSession&, admin_connect_get_lib_version_ret&, Arena&);
Answer connect_list_servers(AdminSession&, const admin_connect_list_servers_args&,
                            admin_connect_list_servers_ret&, Arena&);
Answer connect_lookup_server(AdminSession&, const admin_connect_lookup_server_args&,
                             admin_connect_lookup_server_ret&, Arena&);
Answer server_get_threadpool_parameters(AdminSession&, const admin_server_get_threadpool_parameters_args&,
                                        admin_server_get_threadpool_parameters_ret&, Arena&);
Answer server_get_client_limits(AdminSession&, const admin_server_get_client_limits_args&,
                                admin_server_get_client_limits_ret&, Arena&);
Answer server_set_client_limits(AdminSession&, const admin_server_set_client_limits_args&);

// clients.cc
Answer server_list_clients(AdminSession&, const admin_server_list_clients_args&,
                           admin_server_list_clients_ret&, Arena&);
Answer server_lookup_client(AdminSession&, const admin_server_lookup_client_args&,
                            admin_server_lookup_client_ret&, Arena&);
Answer client_get_info(AdminSession&, const admin_client_get_info_args&, admin_client_get_info_ret&, Arena&);
Answer client_close(AdminSession&, const admin_client_close_args&);

// logging.cc
Answer connect_get_logging_outputs(AdminSession&, const admin_connect_get_logging_outputs_args&,
                                   admin_connect_get_logging_outputs_ret&, Arena&);
Answer connect_set_logging_outputs(AdminSession&, const admin_connect_set_logging_outputs_args&);
Answer connect_get_logging_filters(AdminSession&, const admin_connect_get_logging_filters_args&,
                                   admin_connect_get_logging_filters_ret&, Arena&);
Answer connect_set_logging_filters(AdminSession&, const admin_connect_set_logging_filters_args&);

// servers.cc, for the other files.
/// NO_SERVER: no server has that name.
WireResult<ServerClients*> find_server(AdminSession& session, const char* name);

}  // namespace virttdx::driver::admin
