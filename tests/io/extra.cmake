# Weights travel between C++ and Python's safetensors; the virtual environment is the one that scripts/setup.sh makes.
find_program(VAETL_VENV_PYTHON NAMES python3 python PATHS ${PROJECT_SOURCE_DIR}/build/venv/bin NO_DEFAULT_PATH)
if(NOT VAETL_VENV_PYTHON)
  set(VAETL_VENV_PYTHON ${Python3_EXECUTABLE})
endif()
add_test(NAME io_python_exchange COMMAND ${VAETL_VENV_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/python_exchange.py
                                         $<TARGET_FILE:vaetl_test_io>)
