namespace FaceDistill.Formats;

/// <summary>A tensor's element type, by its number in TensorType of the schema.</summary>
internal enum TfliteType : byte
{
    /// <summary>float32.</summary>
    Float32 = 0,

    /// <summary>int32.</summary>
    Int32 = 2,

    /// <summary>uint8.</summary>
    UInt8 = 3,

    /// <summary>int8.</summary>
    Int8 = 9,
}

/// <summary>An operator, by its number in BuiltinOperator of the schema.</summary>
internal enum TfliteOperator
{
    /// <summary>A convolution that mixes channels; filters [out, k, k, in].</summary>
    Conv2D = 3,

    /// <summary>A convolution of each channel; filters [1, k, k, channels].</summary>
    DepthwiseConv2D = 4,

    /// <summary>Levels to float32.</summary>
    Dequantize = 6,

    /// <summary>A product.</summary>
    Mul = 18,

    /// <summary>Another shape.</summary>
    Reshape = 22,

    /// <summary>Zeros around.</summary>
    Pad = 34,

    /// <summary>The mean over axes.</summary>
    Mean = 40,

    /// <summary>A difference.</summary>
    Sub = 41,

    /// <summary>Another element type.</summary>
    Cast = 53,

    /// <summary>The sum over axes.</summary>
    Sum = 74,

    /// <summary>1 by the root.</summary>
    Rsqrt = 76,

    /// <summary>float32 to levels.</summary>
    Quantize = 114,
}

/// <summary>What the levels of a tensor stand for: value = scale * (level - zero), one of each for all or for each index of an axis.</summary>
/// <param name="Scales">The scales, above 0.</param>
/// <param name="Zeros">The levels of 0, as many.</param>
/// <param name="Axis">The axis, where there are several.</param>
internal sealed record TfliteSteps(float[] Scales, long[] Zeros, int Axis = 0);

/// <summary>A tensor of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its elements.</param>
/// <param name="Shape">Its shape; -1 for the number of pictures.</param>
/// <param name="Data">Its values, little-endian; null for one that is computed.</param>
/// <param name="Steps">What its levels stand for; null where they are values.</param>
internal sealed record TfliteTensor(string Name, TfliteType Type, int[] Shape, byte[]? Data = null, TfliteSteps? Steps = null);

/// <summary>The options of an operator: a table of the union BuiltinOptions.</summary>
/// <param name="Kind">The table's number in the union.</param>
/// <param name="Fields">Its fields that are not at their default: slot, bytes (1 or 4), value.</param>
internal sealed record TfliteOptions(byte Kind, params (int Slot, int Bytes, int Value)[] Fields)
{
    /// <summary>Fields of the table, with those at their default.</summary>
    public int Slots => Fields.Length == 0 ? 0 : Fields.Max(f => f.Slot) + 1;
}
