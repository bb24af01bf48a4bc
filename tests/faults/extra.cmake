# Kills, signals and full disks, through vaetl-train. The long one: kill.py BIN --moments 60.
if(TARGET vaetl-train AND NOT VAETL_SANITIZE)
  add_test(NAME faults COMMAND ${VAETL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_faults.py ${PROJECT_BINARY_DIR}/bin)
  add_test(NAME faults_kill COMMAND ${VAETL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/kill.py ${PROJECT_BINARY_DIR}/bin --moments 20)
  set_tests_properties(faults faults_kill PROPERTIES TIMEOUT 600)
endif()
