# find_package(fairlead) gives fairlead::fairlead_shared and fairlead::fairlead_static.
include(${CMAKE_CURRENT_LIST_DIR}/fairlead-targets.cmake)
set_property(TARGET fairlead::fairlead_static APPEND PROPERTY
  INTERFACE_LINK_LIBRARIES xxhash md z)
