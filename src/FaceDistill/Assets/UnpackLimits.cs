namespace FaceDistill.Assets;

/// <summary>What an archive may at most unpack to.</summary>
/// <param name="Entries">Files and folders.</param>
/// <param name="Bytes">Bytes of all files together.</param>
public sealed record UnpackLimits(int Entries, long Bytes)
{
    /// <summary>A million entries and 64 GiB: above any face data set that comes in one archive, below most disks.</summary>
    public static UnpackLimits Default { get; } = new(1_000_000, 64L << 30);
}
