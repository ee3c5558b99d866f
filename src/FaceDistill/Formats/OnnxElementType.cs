namespace FaceDistill.Formats;

/// <summary>Element types of ONNX tensors; the numbers are those of TensorProto.DataType in the ONNX specification.</summary>
public enum OnnxElementType
{
    /// <summary>IEEE single precision, C# <see cref="float"/>.</summary>
    Float32 = 1,

    /// <summary>C# <see cref="byte"/>.</summary>
    UInt8 = 2,

    /// <summary>C# <see cref="sbyte"/>.</summary>
    Int8 = 3,

    /// <summary>C# <see cref="int"/>.</summary>
    Int32 = 6,

    /// <summary>C# <see cref="long"/>.</summary>
    Int64 = 7,

    /// <summary>IEEE half precision, C# <see cref="Half"/>.</summary>
    Float16 = 10,
}
