namespace FaceDistill.Assets;

/// <summary>What is known about one file of a card.</summary>
public enum AssetState
{
    /// <summary>There, with the card's SHA-256.</summary>
    Verified,

    /// <summary>There; the card names no SHA-256.</summary>
    Present,

    /// <summary>There, but another file than the card names.</summary>
    WrongHash,

    /// <summary>Not on this machine.</summary>
    Missing,
}

/// <summary>One file of a card on this machine.</summary>
/// <param name="File">The file's name.</param>
/// <param name="State">What is known.</param>
/// <param name="Path">Where it lies; null when it is missing.</param>
/// <param name="Note">The remedy where something is wrong; null otherwise.</param>
public sealed record AssetStatus(string File, AssetState State, string? Path, string? Note)
{
    /// <summary>Whether the file can be used.</summary>
    public bool IsUsable => State is AssetState.Verified or AssetState.Present;
}
