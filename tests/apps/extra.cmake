# The programs as a user runs them.
if(TARGET vaetl-train AND NOT VAETL_SANITIZE)
  add_test(NAME apps_run COMMAND ${VAETL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_apps.py ${PROJECT_BINARY_DIR}/bin)
  add_test(NAME apps_data COMMAND ${VAETL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_data_app.py ${PROJECT_BINARY_DIR}/bin)
  add_test(NAME apps_generate COMMAND ${VAETL_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/test_generate_app.py ${PROJECT_BINARY_DIR}/bin)
  set_tests_properties(apps_run apps_data apps_generate PROPERTIES TIMEOUT 600)
endif()
