# The target heapmin_crt::heapmin_crt: the reference heap as a shared library, with its headers.
# The folders are relative to this file, so that they can be moved together.

get_filename_component(_heapmin_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(CMAKE_SYSTEM_NAME STREQUAL "Windows")
  set(_heapmin_system windows)
  set(_heapmin_library heapmin_crt.dll)
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(_heapmin_system linux)
  set(_heapmin_library libheapmin_crt.so)
else()
  # There is no such folder, and the message below names it.
  set(_heapmin_system "${CMAKE_SYSTEM_NAME}")
  set(_heapmin_library libheapmin_crt.so)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(_heapmin_target ${_heapmin_system}-aarch64)
elseif(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64|x86|i[3-6]86)$")
  set(_heapmin_target ${_heapmin_system}-${CMAKE_SYSTEM_PROCESSOR})
elseif(CMAKE_SIZEOF_VOID_P EQUAL 4)
  set(_heapmin_target ${_heapmin_system}-x86)
else()
  set(_heapmin_target ${_heapmin_system}-x86_64)
endif()

# The archive for Linux, and the one for Windows.
set(_heapmin_folder "${_heapmin_prefix}/lib/heapmin/${_heapmin_target}")
if(NOT EXISTS "${_heapmin_folder}")
  set(_heapmin_folder "${_heapmin_prefix}/${_heapmin_target}")
endif()

if(NOT EXISTS "${_heapmin_folder}/${_heapmin_library}")
  set(heapmin_crt_FOUND FALSE)
  set(heapmin_crt_NOT_FOUND_MESSAGE "there is no ${_heapmin_folder}/${_heapmin_library}: heapmin_crt is not built for this system and processor")
elseif(NOT TARGET heapmin_crt::heapmin_crt)
  add_library(heapmin_crt::heapmin_crt SHARED IMPORTED)
  set_target_properties(heapmin_crt::heapmin_crt PROPERTIES
    IMPORTED_LOCATION "${_heapmin_folder}/${_heapmin_library}")
  # The headers are for GCC and Clang. Microsoft's compiler has these routines in its own, which
  # these would hide.
  if(NOT MSVC)
    set_target_properties(heapmin_crt::heapmin_crt PROPERTIES
      INTERFACE_INCLUDE_DIRECTORIES "${_heapmin_prefix}/include/heapmin_crt")
  endif()
  if(_heapmin_system STREQUAL "windows")
    set_target_properties(heapmin_crt::heapmin_crt PROPERTIES
      IMPORTED_IMPLIB "${_heapmin_folder}/libheapmin_crt.dll.a")
  else()
    set_target_properties(heapmin_crt::heapmin_crt PROPERTIES
      IMPORTED_SONAME libheapmin_crt.so)
  endif()
endif()

unset(_heapmin_prefix)
unset(_heapmin_system)
unset(_heapmin_library)
unset(_heapmin_target)
unset(_heapmin_folder)
