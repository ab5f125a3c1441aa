# fl_room(NAME [LIBRARY] [DEPS room...] [PKGS pkg-config...])
# A folder src/NAME is a static library fl_NAME that sees only the rooms it names.
# LIBRARY rooms are also what libfairlead is made of.
# A room whose folder holds no C file yet does not exist, and naming it is harmless.
function(fl_room name)
  cmake_parse_arguments(R "LIBRARY" "" "DEPS;PKGS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  if(NOT sources)
    return()
  endif()
  add_library(fl_${name} STATIC ${sources})
  target_include_directories(fl_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(fl_${name} PUBLIC Threads::Threads)
  foreach(dep ${R_DEPS})
    if(TARGET fl_${dep})
      target_link_libraries(fl_${name} PUBLIC fl_${dep})
    endif()
  endforeach()
  foreach(pkg ${R_PKGS})
    if(NOT TARGET PkgConfig::${pkg})
      pkg_check_modules(${pkg} REQUIRED IMPORTED_TARGET ${pkg})
    endif()
    target_link_libraries(fl_${name} PUBLIC PkgConfig::${pkg})
  endforeach()
  if(R_LIBRARY)
    set_property(GLOBAL APPEND PROPERTY FL_LIBRARY_SOURCES ${sources})
    set_property(GLOBAL APPEND PROPERTY FL_LIBRARY_PKGS ${R_PKGS})
  endif()
endfunction()

# libfairlead, shared and static, with what other projects need to find it.
function(fl_library)
  get_property(sources GLOBAL PROPERTY FL_LIBRARY_SOURCES)
  get_property(pkgs GLOBAL PROPERTY FL_LIBRARY_PKGS)
  if(NOT sources)
    return()
  endif()
  set(map ${CMAKE_SOURCE_DIR}/src/libfairlead.map)
  foreach(kind SHARED STATIC)
    string(TOLOWER fairlead_${kind} target)
    add_library(${target} ${kind} ${sources})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME fairlead)
    target_compile_definitions(${target} PRIVATE FL_BUILDING=1)
    target_include_directories(${target}
      PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
      PRIVATE ${CMAKE_SOURCE_DIR}/src)
    foreach(pkg ${pkgs})
      target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:PkgConfig::${pkg}>)
    endforeach()
    set_target_properties(${target} PROPERTIES
      ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  endforeach()
  set_target_properties(fairlead_shared PROPERTIES VERSION 0.1.0 SOVERSION 0)
  target_link_options(fairlead_shared PRIVATE -Wl,--version-script=${map})
  if(NOT FAIRLEAD_SANITIZE) # a sanitizer's own symbols are found in the program
    target_link_options(fairlead_shared PRIVATE -Wl,--no-undefined)
  endif()
  set_property(TARGET fairlead_shared APPEND PROPERTY LINK_DEPENDS ${map})
  set(FL_STATIC_LIBS "-lxxhash -lmd -lz")
  # Relative, so that an installed tree can be moved.
  file(RELATIVE_PATH FL_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/fairlead.pc.in ${CMAKE_BINARY_DIR}/fairlead.pc @ONLY)
  include(CMakePackageConfigHelpers)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/fairlead-config-version.cmake
    COMPATIBILITY SameMinorVersion)
  install(TARGETS fairlead_shared fairlead_static EXPORT fairlead-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/fairlead DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(FILES ${CMAKE_BINARY_DIR}/fairlead.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(EXPORT fairlead-targets NAMESPACE fairlead::
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fairlead)
  install(FILES ${CMAKE_SOURCE_DIR}/cmake/fairlead-config.cmake
    ${CMAKE_BINARY_DIR}/fairlead-config-version.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fairlead)
endfunction()

function(fl_program)
  if(NOT EXISTS ${CMAKE_SOURCE_DIR}/src/cli/main.c)
    return()
  endif()
  add_executable(fairlead ${CMAKE_SOURCE_DIR}/src/cli/main.c)
  target_link_libraries(fairlead PRIVATE fl_cli)
  set_target_properties(fairlead PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  install(TARGETS fairlead DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# The man page and the shells' completions, as the program itself prints them.
function(fl_program_documents)
  if(NOT TARGET fairlead OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  foreach(document
      "man|${CMAKE_INSTALL_MANDIR}/man1|fairlead.1"
      "bash|${CMAKE_INSTALL_DATADIR}/bash-completion/completions|fairlead"
      "zsh|${CMAKE_INSTALL_DATADIR}/zsh/site-functions|_fairlead"
      "fish|${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d|fairlead.fish")
    string(REPLACE "|" ";" parts ${document})
    list(GET parts 0 topic)
    list(GET parts 1 folder)
    list(GET parts 2 name)
    set(file ${CMAKE_BINARY_DIR}/documents/${topic}/${name})
    add_custom_command(OUTPUT ${file}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/documents/${topic}
      COMMAND $<TARGET_FILE:fairlead> help ${topic} > ${file} DEPENDS fairlead VERBATIM)
    list(APPEND files ${file})
    install(FILES ${file} DESTINATION ${folder})
  endforeach()
  add_custom_target(documents ALL DEPENDS ${files})
endfunction()
