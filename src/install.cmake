# What is installed: one static library made of every folder's objects, the public headers, the package
# file that find_package(trialwright) reads, the program and the studies.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

get_property(trialwright_folders GLOBAL PROPERTY TRIALWRIGHT_FOLDERS)
set(trialwright_objects ${trialwright_folders})
list(TRANSFORM trialwright_objects REPLACE "(.+)" "$<TARGET_OBJECTS:tw_\\1>")

add_library(trialwright STATIC ${trialwright_objects})
add_library(trialwright::trialwright ALIAS trialwright)
set_target_properties(trialwright PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(trialwright PUBLIC cxx_std_20)
target_include_directories(trialwright PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# What trialwrightConfig.cmake.in finds again for the linker's sake.
target_link_libraries(trialwright PRIVATE fmt::fmt hwy::hwy Threads::Threads yaml-cpp ZLIB::ZLIB)

set(trialwright_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/trialwright)
install(TARGETS trialwright EXPORT trialwrightTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT trialwrightTargets NAMESPACE trialwright:: DESTINATION ${trialwright_package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/trialwrightConfig.cmake.in
  ${PROJECT_BINARY_DIR}/trialwrightConfig.cmake INSTALL_DESTINATION ${trialwright_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/trialwrightConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/trialwrightConfig.cmake ${PROJECT_BINARY_DIR}/trialwrightConfigVersion.cmake
  DESTINATION ${trialwright_package_dir})

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/trialwright DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION ${CMAKE_INSTALL_DATADIR}/trialwright)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET trialwright_app)
  install(TARGETS trialwright_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
