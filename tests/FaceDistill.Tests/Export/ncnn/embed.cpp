// embed MODEL.ncnn.param INPUT SIZE [--defaults] < faces > embeddings
// Faces are float32 [3, SIZE, SIZE] each, one after another; a line of text an embedding. --defaults leaves ncnn's options as they are, which store and
// compute in half precision where the processor can; without it everything is float32. INPUT is the blob's name: input, or image after --preprocess.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "net.h"

int main(int argc, char** argv)
{
    if (argc < 4)
    {
        return 2;
    }

    std::string param = argv[1], bin = param.substr(0, param.rfind(".param")) + ".bin";
    size_t size = atoi(argv[3]), plane = size * size;
    ncnn::Net net;
    net.opt.num_threads = 1;
    if (argc == 4)
    {
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = false;
    }

    if (net.load_param(param.c_str()) != 0 || net.load_model(bin.c_str()) != 0)
    {
        return 1;
    }

    std::vector<float> face(3 * plane);
    while (fread(face.data(), sizeof(float), face.size(), stdin) == face.size())
    {
        ncnn::Mat in((int)size, (int)size, 3), out;
        for (int c = 0; c < 3; c++)
        {
            memcpy(in.channel(c), &face[c * plane], plane * sizeof(float));
        }

        ncnn::Extractor extractor = net.create_extractor();
        if (extractor.input(argv[2], in) != 0 || extractor.extract("embedding", out) != 0)
        {
            return 1;
        }

        for (int i = 0; i < out.w; i++)
        {
            printf(i + 1 < out.w ? "%.9g " : "%.9g\n", out[i]);
        }
    }

    return 0;
}
