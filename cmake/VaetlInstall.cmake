# The installed package: find_package(vaetl) gives vaetl::vaetl.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/vaetl)
get_property(programs GLOBAL PROPERTY VAETL_APPS)
install(TARGETS vaetl ${programs} EXPORT vaetlTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY src/vaetl/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vaetl FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY models/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/vaetl/models FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY zoo/ DESTINATION ${CMAKE_INSTALL_DATADIR}/vaetl/zoo)
install(DIRECTORY recipes/ DESTINATION ${CMAKE_INSTALL_DATADIR}/vaetl/recipes)
foreach(program IN LISTS programs)
  get_target_property(name ${program} OUTPUT_NAME)
  if(NOT name)
    set(name ${program})
  endif()
  install(FILES apps/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${name})
endforeach()
install(EXPORT vaetlTargets NAMESPACE vaetl:: DESTINATION ${package_dir})
configure_package_config_file(cmake/vaetlConfig.cmake.in ${PROJECT_BINARY_DIR}/vaetlConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vaetlConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vaetlConfig.cmake ${PROJECT_BINARY_DIR}/vaetlConfigVersion.cmake
        DESTINATION ${package_dir})
