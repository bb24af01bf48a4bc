# One interface target carries the flags that every room, app and test shares: a precompiled header is only
# reused where the flags are equal to the letter, which is also why -fPIC is an option here and not a property.
add_library(vaetl_flags INTERFACE)
target_compile_features(vaetl_flags INTERFACE cxx_std_20)
target_compile_options(vaetl_flags INTERFACE -fPIC -Wall -Wextra -Wpedantic -Wnon-virtual-dtor $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local>
                                             -Winvalid-pch)
# In a unity build a source file is an included one, of whose unnamed namespaces GCC warns as of a header's.
target_compile_options(vaetl_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
target_include_directories(vaetl_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated
                                                 ${PROJECT_SOURCE_DIR})
target_include_directories(vaetl_flags SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(vaetl_flags INTERFACE ${TORCH_LIBRARIES} fmt::fmt-header-only nlohmann_json::nlohmann_json)
if(VAETL_SANITIZE)
  # GCC 12 takes the sanitizers' own checks in LibTorch's headers for reads of uninitialised memory.
  target_compile_options(vaetl_flags INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer
                                               -fno-sanitize-recover=undefined -Wno-maybe-uninitialized)
  target_link_options(vaetl_flags INTERFACE -fsanitize=address,undefined)
endif()

set_property(GLOBAL PROPERTY VAETL_ROOMS "")

# What each source file pays for a precompiled header grows with what stands in it: files that know tensors but no modules
# compile a quarter faster behind a header without them. core owns the one, nn the other.
set(VAETL_ROOMS_WITHOUT_MODULES core io data report)
function(vaetl_precompile target room)
  if(room STREQUAL core AND target STREQUAL vaetl_core)
    target_precompile_headers(vaetl_core PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
  elseif(room STREQUAL nn AND target STREQUAL vaetl_nn)
    target_precompile_headers(vaetl_nn PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled_modules.hpp)
  elseif(room IN_LIST VAETL_ROOMS_WITHOUT_MODULES)
    target_precompile_headers(${target} REUSE_FROM vaetl_core)
  else()
    target_precompile_headers(${target} REUSE_FROM vaetl_nn)
  endif()
endfunction()

# vaetl_room(NAME [LIBRARIES lib…]): one OBJECT library from every .cpp of the current folder.
function(vaetl_room name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LIBRARIES")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(vaetl_${name} OBJECT ${sources})
  target_link_libraries(vaetl_${name} PRIVATE vaetl_flags ${ARG_LIBRARIES})
  vaetl_precompile(vaetl_${name} ${name})
  # Loops that the compiler turns into vector code, without LibTorch's headers. The two options allow nothing that
  # changes a value: no errno from sqrt, and both sides of a comparison may be computed.
  file(GLOB kernels CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/kernels/*.cpp)
  set_source_files_properties(${kernels} PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON
                                                    COMPILE_OPTIONS "-O3;-fno-math-errno;-fno-trapping-math")
  set_property(GLOBAL APPEND PROPERTY VAETL_ROOMS vaetl_${name})
  set_property(GLOBAL APPEND PROPERTY VAETL_ROOM_LIBRARIES ${ARG_LIBRARIES})
endfunction()

# Joins the rooms into the one library that users link, vaetl::vaetl.
function(vaetl_join_library)
  get_property(rooms GLOBAL PROPERTY VAETL_ROOMS)
  get_property(libraries GLOBAL PROPERTY VAETL_ROOM_LIBRARIES)
  list(TRANSFORM rooms REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_library(vaetl ${objects})
  add_library(vaetl::vaetl ALIAS vaetl)
  set_target_properties(vaetl PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                                         LINKER_LANGUAGE CXX)
  target_compile_features(vaetl INTERFACE cxx_std_20)
  target_compile_definitions(vaetl INTERFACE FMT_HEADER_ONLY=1)
  target_include_directories(vaetl INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                                             $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
                                             $<INSTALL_INTERFACE:include>)
  target_link_libraries(vaetl PUBLIC ${TORCH_LIBRARIES} nlohmann_json::nlohmann_json PRIVATE ${libraries})
endfunction()

# vaetl_program(NAME SOURCES… [LIBRARIES …] [ROOM room]): an executable of ours that shares flags and the precompiled
# header of that room, by default the one with modules.
function(vaetl_program name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "ROOM" "SOURCES;LIBRARIES")
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vaetl_flags ${ARG_LIBRARIES})
  vaetl_precompile(${name} "${ARG_ROOM}")
endfunction()
