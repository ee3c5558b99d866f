#!/usr/bin/env bash
# Builds embed.cpp with the layers of ncnn that students use: build.sh NCNN_SOURCE PROGRAM (cmake and a C++ compiler; some minutes).
# Then: FACEDISTILL_NCNN=PROGRAM ./test.sh --filter "FullyQualifiedName~Ncnn"
set -euo pipefail
source=$1 program=$2 here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Those that are named, and what these are made of.
keep=" Input Scale Convolution ConvolutionDepthWise Pooling InnerProduct Normalize Padding Flatten Packing Cast Split Crop Reshape Gemm ReLU Clip Sigmoid TanH HardSwish "
off=()
for layer in $(sed -n 's/^ncnn_add_layer(\([A-Za-z0-9]*\).*/\1/p' "$source/src/CMakeLists.txt"); do
  [[ $keep == *" $layer "* ]] || off+=("-DWITH_LAYER_${layer,,}=OFF")
done
cmake -S "$source" -B "$work" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$work/installed" "${off[@]}" \
  -DNCNN_{VULKAN,BUILD_TOOLS,BUILD_EXAMPLES,BUILD_BENCHMARK,BUILD_TESTS,OPENMP,INT8,PIXEL,C_API,RUNTIME_CPU}=OFF
cmake --build "$work" --target install
c++ -O2 "$here/embed.cpp" -I"$work/installed/include/ncnn" -L"$work/installed/lib" -lncnn -pthread -o "$program"
